import Synchronization

/// Hands messages of a call to the writer of a response, one at a time: the call goes on when the
/// writer has taken what it brought. One producer, one consumer.
final class Handoff: Sendable {
    enum Event: Sendable {
        case message([UInt8])
        /// The call has ended, well or not.
        case ended(RPCFailure?)
        /// ``tick()`` while nothing was there.
        case silence
    }

    private enum End {
        case well
        case failed(RPCFailure)

        var event: Event {
            switch self {
            case .well: .ended(nil)
            case .failed(let failure): .ended(failure)
            }
        }
    }

    private struct State {
        var message: [UInt8]?
        var end: End?
        var producer: CheckedContinuation<Bool, Never>?
        var consumer: CheckedContinuation<Event, Never>?
    }

    private let state = Mutex(State())

    /// Gives a message and waits until it is taken.
    ///
    /// - Throws: `CancellationError` if nobody will take it any more.
    func put(_ message: [UInt8]) async throws {
        let isTaken = await withCheckedContinuation { continuation in
            let (answer, consumer) = state.withLock {
                state -> (Bool?, CheckedContinuation<Event, Never>?) in
                if state.end != nil { return (false, nil) }
                if let consumer = state.consumer {
                    state.consumer = nil
                    return (true, consumer)
                }
                state.message = message
                state.producer = continuation
                return (nil, nil)
            }
            consumer?.resume(returning: .message(message))
            if let answer { continuation.resume(returning: answer) }
        }
        guard isTaken else { throw CancellationError() }
    }

    /// Nothing more comes; the first end counts. A message not taken yet is dropped.
    func end(_ failure: RPCFailure?) {
        let (producer, consumer, event) = state.withLock { state in
            let end = state.end ?? failure.map { .failed($0) } ?? .well
            state.end = end
            state.message = nil
            defer {
                state.producer = nil
                state.consumer = nil
            }
            return (state.producer, state.consumer, end.event)
        }
        producer?.resume(returning: false)
        consumer?.resume(returning: event)
    }

    /// Waits for what comes next.
    func next() async -> Event {
        await withCheckedContinuation { continuation in
            let (event, producer) = state.withLock {
                state -> (Event?, CheckedContinuation<Bool, Never>?) in
                if let message = state.message {
                    state.message = nil
                    defer { state.producer = nil }
                    return (.message(message), state.producer)
                }
                if let end = state.end { return (end.event, nil) }
                state.consumer = continuation
                return (nil, nil)
            }
            producer?.resume(returning: true)
            if let event { continuation.resume(returning: event) }
        }
    }

    /// Wakes a consumer that waits.
    func tick() {
        let consumer = state.withLock { state in
            defer { state.consumer = nil }
            return state.consumer
        }
        consumer?.resume(returning: .silence)
    }
}
