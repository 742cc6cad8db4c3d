private import Synchronization

/// Ctrl-C as a value: triggered once from outside, awaited by whoever must stop.
package final class Interruption: Sendable {
    private let triggered = Mutex(false)
    private let stream: AsyncStream<Never>
    private let continuation: AsyncStream<Never>.Continuation

    package init() {
        (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    }

    package var isTriggered: Bool { triggered.withLock { $0 } }

    package func trigger() {
        triggered.withLock { $0 = true }
        continuation.finish()
    }

    /// Returns when it is triggered, or when the waiting task is cancelled. For one waiter.
    func wait() async {
        for await _ in stream {}
    }
}
