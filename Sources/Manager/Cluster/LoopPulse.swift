package import ManagerCore
package import NIOCore
import Synchronization

/// Whether the parts of the process move that a heartbeat vouches for: every event loop, and the
/// threads that asynchronous code runs on. A process that hangs but keeps its heartbeat would hold
/// its shards for ever.
package final class LoopPulse: Sendable {
    /// A part that has not run a task of ours for so long does not move.
    package static let silence: Duration = .seconds(3)

    private let eventLoops: [any EventLoop]
    private let now: @Sendable () -> Moment
    private let turns: Mutex<[Turn]>

    private struct Turn {
        var at: Moment
        var isAsked = false
    }

    package init(eventLoops: [any EventLoop], now: @escaping @Sendable () -> Moment) {
        self.eventLoops = eventLoops
        self.now = now
        let begin = Turn(at: now())
        turns = Mutex(Array(repeating: begin, count: eventLoops.count + 1))
    }

    /// Asks all parts to move, and says whether all have moved of late.
    package func beat() -> Bool {
        let now = now()
        let (due, isLive) = turns.withLock { turns -> ([Int], Bool) in
            let isLive = turns.allSatisfy { now - $0.at <= Self.silence }
            let due = turns.indices.filter { !turns[$0].isAsked }
            for index in due { turns[index].isAsked = true }
            return (due, isLive)
        }
        for index in due {
            if index < eventLoops.count {
                eventLoops[index].execute { [weak self] in self?.moved(index) }
            } else {
                Task { [weak self] in self?.moved(index) }
            }
        }
        return isLive
    }

    private func moved(_ index: Int) {
        let moment = now()
        turns.withLock { $0[index] = Turn(at: moment) }
    }
}
