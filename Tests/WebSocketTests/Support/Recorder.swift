import NIOCore
import Synchronization

@testable import WebSocket

/// A delegate that keeps what it is told and lets a test wait for facts.
final class Recorder: WebSocketDelegate, Sendable {
    struct Seen: Sendable {
        var messages: [WebSocketMessage] = []
        /// The sizes of the batches, in order.
        var batches: [Int] = []
        var bytes = 0
        var pongs: [[UInt8]] = []
        var closes: [WebSocketClose] = []
        /// Calls after the end.
        var late = 0

        var texts: [String] { self.messages.map { String(decoding: $0.payload, as: UTF8.self) } }
    }

    private let state = Mutex(Seen())
    /// Called on the loop after each batch, so that a test can call back from within.
    let received: @Sendable ([WebSocketMessage]) -> Void

    init(received: @escaping @Sendable ([WebSocketMessage]) -> Void = { _ in }) {
        self.received = received
    }

    var seen: Seen { self.state.withLock { $0 } }

    func webSocketReceived(_ segments: [MessageSegment], bytes: Int) {
        let messages = segments.messages
        self.state.withLock {
            $0.late += $0.closes.count
            $0.messages += messages
            $0.batches.append(messages.count)
            $0.bytes += bytes
        }
        self.received(messages)
    }

    func webSocketReceivedPong(_ payload: [UInt8]) {
        self.state.withLock {
            $0.late += $0.closes.count
            $0.pongs.append(payload)
        }
    }

    func webSocketClosed(_ close: WebSocketClose) {
        self.state.withLock { $0.closes.append(close) }
    }

    /// Waits until the facts are so.
    func until(_ isSo: @Sendable @escaping (Seen) -> Bool) async throws -> Seen {
        try await eventually { isSo(self.seen) }
        return self.seen
    }

    /// Waits for the end.
    func closed() async throws -> WebSocketClose {
        try await self.until { !$0.closes.isEmpty }.closes[0]
    }
}

/// What was waited for did not come true in time.
struct NotSoInTime: Error {}

/// Waits until something is so, looking every few milliseconds; the limit is for broken code only.
func eventually(
    within limit: Duration = .seconds(20),
    _ isSo: @Sendable () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !isSo() {
        guard ContinuousClock.now < deadline else { throw NotSoInTime() }
        try await Task.sleep(for: .milliseconds(2))
    }
}
