import ManagerCore
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Manager

@Suite(.timeLimit(.minutes(1))) struct LoopRestsTests {
    private final class Reader: Sendable {}

    /// What a turn sets going, and what that sets going, comes before the loop rests.
    @Test func aCrowdedLoopRestsAtTheEndOfItsTurnAndCountsIt() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.any()
        let metrics = ManagerMetrics()
        let seen = Mutex<[String]>([])
        let rests = LoopRests(
            [loop], interval: .milliseconds(5), metrics: metrics, now: { Moment(.zero) },
            pause: { duration in seen.withLock { $0.append("rest of \(duration)") } })
        let readers = [Reader(), Reader()]
        try await loop.submit {
            for read in 0...ReadCoalescing.readsInARow {
                rests.read(
                    100, by: ObjectIdentifier(readers[read % 2]), isTakenAtOnce: true, on: loop,
                    now: Moment(.zero))
            }
            loop.execute {
                seen.withLock { $0.append("a task of the turn") }
                loop.execute { seen.withLock { $0.append("a task of that") } }
            }
        }.get()
        // By then the loop has come to rest: each of these is a turn of its own.
        while seen.withLock({ $0.count < 3 }) { try await loop.submit {}.get() }
        #expect(
            seen.withLock { $0 } == [
                "a task of the turn", "a task of that", "rest of \(Duration.milliseconds(5))",
            ])
        #expect(metrics.rests.value == 1)
        try await group.shutdownGracefully()
    }
}
