package import ManagerCore
package import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Lets event loops rest that are woken for message after message: `--read-coalescing`.
///
/// A loop rests by blocking its thread, for a fraction of a millisecond: nothing else keeps SwiftNIO
/// from asking the kernel again.
package final class LoopRests: Sendable {
    private let loops: [ObjectIdentifier: NIOLoopBoundBox<LoopRest>]

    /// No loop ever rests.
    package static let none = LoopRests([], interval: .zero, metrics: ManagerMetrics())

    /// - Parameter interval: 0 to some milliseconds; see ``ReadCoalescing``.
    package init(
        _ eventLoops: [any EventLoop], interval: Duration, metrics: ManagerMetrics,
        now: @escaping @Sendable () -> Moment = { .now },
        pause: @escaping @Sendable (Duration) -> Void = LoopRests.sleep
    ) {
        guard interval > .zero else {
            loops = [:]
            return
        }
        loops = Dictionary(
            eventLoops.map { loop in
                let rest = LoopRest(
                    loop, ReadCoalescing(interval: interval), metrics: metrics, now: now,
                    pause: pause)
                return (
                    ObjectIdentifier(loop),
                    NIOLoopBoundBox.makeBoxSendingValue(rest, eventLoop: loop)
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// A connection of the loop was read. On the loop.
    func read(
        _ bytes: Int, by reader: ObjectIdentifier, isTakenAtOnce: Bool, on loop: any EventLoop,
        now: Moment
    ) {
        loops[ObjectIdentifier(loop)]?.value.read(
            bytes, by: reader, isTakenAtOnce: isTakenAtOnce, now: now)
    }

    /// Blocks the thread.
    package static func sleep(_ duration: Duration) {
        var time = timespec(
            tv_sec: Int(duration.components.seconds),
            tv_nsec: Int(duration.components.attoseconds / 1_000_000_000))
        // A signal may end it early, which does no harm.
        nanosleep(&time, nil)
    }
}

/// The rests of one loop. Confined to it.
private final class LoopRest {
    /// How often the end of a turn gives way to what the turn has set going: the streams of
    /// subscribers go on in a few steps, each of them a task of the loop.
    private static let givingWay = 8

    private let loop: any EventLoop
    private var coalescing: ReadCoalescing
    private let metrics: ManagerMetrics
    private let now: @Sendable () -> Moment
    private let pause: @Sendable (Duration) -> Void

    init(
        _ loop: any EventLoop, _ coalescing: ReadCoalescing, metrics: ManagerMetrics,
        now: @escaping @Sendable () -> Moment, pause: @escaping @Sendable (Duration) -> Void
    ) {
        self.loop = loop
        self.coalescing = coalescing
        self.metrics = metrics
        self.now = now
        self.pause = pause
    }

    func read(_ bytes: Int, by reader: ObjectIdentifier, isTakenAtOnce: Bool, now: Moment) {
        let isFirst = coalescing.read(bytes, by: reader, isTakenAtOnce: isTakenAtOnce, now: now)
        if isFirst { rest(after: Self.givingWay) }
    }

    private func rest(after turns: Int) {
        loop.assumeIsolated().execute { [self] in
            guard turns == 0 else { return rest(after: turns - 1) }
            let duration = coalescing.turnEnded(now: now())
            guard duration > .zero else { return }
            metrics.rests.add()
            pause(duration)
        }
    }
}
