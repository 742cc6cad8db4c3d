import Simulation
import Synchronization

/// What all threads have found so far.
final class Tally: Sendable {
    struct Total {
        var coverage = Coverage()
        var events = 0
        var published = 0
        var acked = 0
        var failed: [Simulation.Outcome] = []
    }

    private let state = Mutex(Total())
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    func add(_ outcome: Simulation.Outcome) {
        state.withLock { total in
            total.coverage.merge(outcome.coverage)
            total.events += outcome.events
            total.published += outcome.published
            total.acked += outcome.acked
            if outcome.violation != nil { total.failed.append(outcome) }
        }
    }

    var isFull: Bool { state.withLock { $0.failed.count >= limit } }
    var total: Total { state.withLock { $0 } }
    var failed: [Simulation.Outcome] { state.withLock { $0.failed } }
}
