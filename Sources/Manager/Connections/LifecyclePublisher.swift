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

    /// What events are published under that belong to no shard.
    package let home: ShardGate
    private let bus: any Bus
    private let publishLimit: Duration
    private let state = Mutex(LifecycleQueue())

    package init(
        bus: any Bus, home: ShardGate, publishLimit: Duration = ClusterTiming.standard.publish
    ) {
        self.bus = bus
        self.home = home
        self.publishLimit = publishLimit
    }

    /// For a process that is alone on its store.
    package convenience init(bus: any Bus, epoch: UInt64) {
        self.init(bus: bus, home: .sole(epoch: epoch))
    }

    package var dropped: UInt64 { state.withLock { $0.dropped } }

    /// Events whose call ended later than ownership allows for.
    package var publishedLate: UInt64 { state.withLock { $0.publishedLate } }

    /// - Parameters:
    ///   - event: a run of one. Who publishes under a uid numbers its events, in the order in which
    ///     they come here.
    ///   - gate: what it is published under; `nil` is the process's own.
    ///   - loop: the caller's event loop: all events of its turn go out together at its end.
    ///   - then: called once it is with the bus, or never will be. Any thread.
    package func publish(
        _ event: EventRun, under gate: ShardGate? = nil, on loop: (any EventLoop)? = nil,
        then: (@Sendable () -> Void)? = nil
    ) {
        let (starts, settled) = state.withLock {
            $0.append(.init(run: event, gate: gate ?? home, then: then))
        }
        for settled in settled { settled() }
        guard starts else { return }
        guard let loop else {
            Task { await publishAll(nextTurn()) }
            return
        }
        loop.execute { self.publishHere() }
    }

    /// No event of the title waits, and none is in a call.
    package func isQuiet(_ gate: ShardGate) -> Bool { state.withLock { $0.isQuiet(gate) } }

    /// Tells once, when no event of the title waits and none is in a call. Any thread.
    package func whenQuiet(_ gate: ShardGate, _ then: @escaping @Sendable () -> Void) {
        if state.withLock({ $0.waitsForQuiet(gate, then) }) { then() }
    }

    /// On the loop as long as the bus answers at once, so that no other thread is woken.
    private func publishHere() {
        while true {
            let turn = nextTurn()
            if turn.isOver { return }
            guard !turn.batch.isEmpty, let answer = bus.publishAtOnce(turn.batch.map(\.run)) else {
                Task { await publishAll(turn) }
                return
            }
            if answered(turn, answer) {
                Task {
                    try? await Task.sleep(for: Self.retryDelay)
                    await publishAll(nextTurn())
                }
                return
            }
        }
    }

    private func publishAll(_ first: LifecycleQueue.Turn) async {
        var turn = first
        while !turn.isOver {
            if turn.batch.isEmpty {
                try? await Task.sleep(for: GateWatch.interval)
            } else if answered(turn, await bus.publish(turn.batch.map(\.run))) {
                try? await Task.sleep(for: Self.retryDelay)
            }
            turn = nextTurn()
        }
    }

    private func nextTurn() -> LifecycleQueue.Turn {
        let turn = state.withLock { $0.nextTurn() }
        for settled in turn.settled { settled() }
        return turn
    }

    /// - Returns: whether the bus is better left alone for a while.
    private func answered(_ turn: LifecycleQueue.Turn, _ answer: PublishAnswer) -> Bool {
        let isLate = turn.batch.first?.gate.lease.isLate(by: publishLimit) ?? false
        let answered = state.withLock { $0.answered(turn.batch, answer, isLate: isLate) }
        for settled in answered.settled { settled() }
        return answered.waits
    }
}
