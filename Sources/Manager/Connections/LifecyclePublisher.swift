import DequeModule
import Logging
package import ManagerCore
package import NIOCore
import Synchronization

/// Publishes lifecycle events in the order they were handed in, from a bounded queue.
///
/// Each is published under a title, like a message: while the title may not act its events are
/// held, those of others go on; when it has ended they are dropped and counted.
package final class LifecyclePublisher: Sendable {
    /// Events kept while the bus does not take them. A fleet of 10,000 that loses its host makes
    /// 20,000 at once; what is dropped is the oldest, and counted.
    package static let maxQueued = 50_000
    /// Events in one call to the bus.
    static let batch = 500
    /// Between two tries while the bus does not answer.
    static let retryDelay: Duration = .seconds(1)

    private let bus: any Bus
    private let clock: ManagerClock
    private let home: ShardGate
    private let publishLimit: Duration
    private let state = Mutex(LifecycleQueue())

    /// - Parameter home: what events are published under that belong to no shard.
    package init(
        bus: any Bus, clock: ManagerClock, home: ShardGate,
        publishLimit: Duration = ClusterTiming.standard.publish
    ) {
        self.bus = bus
        self.clock = clock
        self.home = home
        self.publishLimit = publishLimit
    }

    /// For a process that is alone on its store.
    package convenience init(bus: any Bus, clock: ManagerClock, epoch: UInt64) {
        self.init(bus: bus, clock: clock, home: .sole(epoch: epoch))
    }

    package var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Events whose call ended later than ownership allows for.
    package var publishedLate: UInt64 { state.withLock { $0.publishedLate } }

    /// - Parameters:
    ///   - gate: what it is published under; `nil` is the process's own.
    ///   - loop: the caller's event loop: all events of its turn go out together at its end.
    ///   - then: called once it is with the bus, or never will be. Any thread.
    package func publish(
        _ event: LifecycleEvent, uid: ConnectionUID, under gate: ShardGate? = nil,
        on loop: (any EventLoop)? = nil, then: (@Sendable () -> Void)? = nil
    ) {
        publish(uid: uid, under: gate, on: loop, then: then) {
            event.run(id: $0, time: $1, permit: $2)
        }
    }

    /// Publishes what is made of the next number under `uid`, the time, and what it goes out under.
    package func publish(
        uid: ConnectionUID, under gate: ShardGate? = nil, on loop: (any EventLoop)? = nil,
        then: (@Sendable () -> Void)? = nil,
        _ make: (EventID, WallTime, ShardGate) -> EventRun
    ) {
        let time = clock.wallTime()
        let gate = gate ?? home
        let (starts, settled) = state.withLock { state in
            let id = EventID(
                uid: uid, epoch: gate.epoch,
                sequence: state.nextSequence(uid, epoch: gate.epoch))
            return state.append(.init(run: make(id, time, gate), gate: gate, then: then))
        }
        for settled in settled { settled() }
        guard starts else { return }
        guard let loop else { return start() }
        loop.execute { self.start() }
    }

    private func start() {
        Task { await publishAll() }
    }

    /// The connection is gone for good: its counter is forgotten.
    package func forget(_ uid: ConnectionUID, under gate: ShardGate? = nil) {
        state.withLock { $0.forget(uid, epoch: (gate ?? home).epoch) }
    }

    /// No event of the title waits, and none is in a call.
    package func isQuiet(_ gate: ShardGate) -> Bool { state.withLock { $0.isQuiet(gate) } }

    /// Tells once, when no event of the title waits and none is in a call. Any thread.
    package func whenQuiet(_ gate: ShardGate, _ then: @escaping @Sendable () -> Void) {
        if state.withLock({ $0.waitsForQuiet(gate, then) }) { then() }
    }

    private func publishAll() async {
        while true {
            let turn = state.withLock { $0.nextTurn() }
            for settled in turn.settled { settled() }
            guard !turn.batch.isEmpty else {
                if turn.isOver { return }
                try? await Task.sleep(for: GateWatch.interval)
                continue
            }
            let answer = await bus.publish(turn.batch.map(\.run))
            let isLate = turn.batch.first?.gate.lease.isLate(by: publishLimit) ?? false
            let answered = state.withLock {
                $0.answered(turn.batch, answer, isLate: isLate)
            }
            for settled in answered.settled { settled() }
            if answered.waits { try? await Task.sleep(for: Self.retryDelay) }
        }
    }
}
