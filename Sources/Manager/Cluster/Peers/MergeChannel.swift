import DequeModule
import Synchronization

/// Where several streams come together: each producer waits until what it brought is done with, so
/// the slowest reader holds all of them up and nothing piles up. One consumer.
final class MergeChannel<Element: Sendable>: Sendable {
    /// What the consumer was handed. Its producer waits until it is released.
    struct Delivery: Sendable {
        fileprivate var number: UInt64
        var element: Element
    }

    private struct State {
        var nextNumber: UInt64 = 0
        var offered: Deque<Delivery> = []
        var producers: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var consumer: CheckedContinuation<Delivery?, Never>?
        var isFinished = false
    }

    private enum Received {
        case waits
        case now(Delivery?)
    }

    private let state = Mutex(State())

    /// Returns when the element is done with, or never will be.
    func send(_ element: Element) async {
        await withCheckedContinuation { (producer: CheckedContinuation<Void, Never>) in
            var consumer: CheckedContinuation<Delivery?, Never>?
            let delivery = state.withLock { state -> Delivery? in
                guard !state.isFinished else { return nil }
                state.nextNumber += 1
                let delivery = Delivery(number: state.nextNumber, element: element)
                state.producers[delivery.number] = producer
                consumer = state.consumer.take()
                if consumer == nil { state.offered.append(delivery) }
                return delivery
            }
            guard let delivery else { return producer.resume() }
            consumer?.resume(returning: delivery)
        }
    }

    /// - Returns: `nil` once the channel is finished or the task is cancelled.
    func next() async -> Delivery? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let received = state.withLock { state -> Received in
                    if state.isFinished { return .now(nil) }
                    if let first = state.offered.popFirst() { return .now(first) }
                    state.consumer = continuation
                    return .waits
                }
                if case .now(let delivery) = received { continuation.resume(returning: delivery) }
            }
        } onCancel: {
            finish()
        }
    }

    /// Lets the producer go on.
    func release(_ delivery: Delivery) {
        state.withLock { $0.producers.removeValue(forKey: delivery.number) }?.resume()
    }

    /// What was not handed out is dropped.
    func finish() {
        let (producers, consumer) = state.withLock { state in
            state.isFinished = true
            state.offered = []
            defer { state.producers = [:] }
            return (Array(state.producers.values), state.consumer.take())
        }
        for producer in producers { producer.resume() }
        consumer?.resume(returning: nil)
    }
}
