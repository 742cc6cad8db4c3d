import DequeModule
import Logging
package import ManagerCore
import Synchronization

/// Publishes lifecycle events in the order they were handed in, from a bounded queue.
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
    private let epoch: UInt64
    private let state = Mutex(State())

    private struct State {
        var queue = Deque<OutboundEvent>()
        var isPublishing = false
        var sequences: [ConnectionUID: UInt64] = [:]
        var dropped: UInt64 = 0
    }

    package init(bus: any Bus, clock: ManagerClock, epoch: UInt64) {
        self.bus = bus
        self.clock = clock
        self.epoch = epoch
    }

    package var dropped: UInt64 { state.withLock { $0.dropped } }

    package func publish(_ event: LifecycleEvent, uid: ConnectionUID) {
        publish(uid: uid) { event.outbound(id: $0, time: $1) }
    }

    /// Publishes what is made of the next id of `uid`, and the time.
    package func publish(uid: ConnectionUID, _ make: (EventID, WallTime) -> OutboundEvent) {
        let time = clock.wallTime()
        let starts = state.withLock { state in
            let sequence = state.sequences[uid, default: 0] + 1
            state.sequences[uid] = sequence
            let id = EventID(uid: Self.eventUID(uid), epoch: epoch, sequence: sequence)
            state.queue.append(make(id, time))
            if state.queue.count > Self.maxQueued {
                state.queue.removeFirst()
                state.dropped += 1
            }
            defer { state.isPublishing = true }
            return !state.isPublishing
        }
        if starts { Task { await publishAll() } }
    }

    /// Lifecycle events count on their own, so their ids must not be those of messages: a consumer
    /// that knows events by id alone would take one for the other.
    static func eventUID(_ uid: ConnectionUID) -> ConnectionUID {
        ConnectionUID(rawValue: uid.rawValue + "-lifecycle") ?? uid
    }

    /// The connection is gone for good: its counter is forgotten.
    package func forget(_ uid: ConnectionUID) {
        _ = state.withLock { $0.sequences.removeValue(forKey: uid) }
    }

    private func publishAll() async {
        while let batch = nextBatch() {
            let outcomes = await bus.publish(batch)
            let retried = zip(batch, outcomes).filter { _, outcome in
                if case .unavailable = outcome { true } else { false }
            }.map(\.0)
            guard !retried.isEmpty else { continue }
            state.withLock { $0.queue.prepend(contentsOf: retried) }
            try? await Task.sleep(for: Self.retryDelay)
        }
    }

    private func nextBatch() -> [OutboundEvent]? {
        state.withLock { state in
            guard !state.queue.isEmpty else {
                state.isPublishing = false
                return nil
            }
            let batch = Array(state.queue.prefix(Self.batch))
            state.queue.removeFirst(batch.count)
            return batch
        }
    }
}
