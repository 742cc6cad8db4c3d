import Reconciler
import Synchronization

/// What a resync compares of every connection of a fleet, side by side.
///
/// It is what their snapshots say, and changes with them under their locks; but a hundred thousand
/// objects all over memory are too many to be visited twice a minute.
final class FleetFacts: Sendable {
    /// Where a connection stands, for as long as it is there.
    typealias Place = Int32

    /// Rows that are told of under the lock at one time: some microseconds of work, for which a
    /// connection that changes has to wait.
    private static let rowsAtOnce = 128

    private struct State {
        var rows: [ObservedRow] = []
        var free: [Place] = []
    }

    private let state = Mutex(State())

    func add(_ name: String, _ facts: ObservedFacts) -> Place {
        let row = ObservedRow(name: name, facts: facts)
        return state.withLock { state in
            if let place = state.free.popLast() {
                state.rows[Int(place)] = row
                return place
            }
            state.rows.append(row)
            return Place(state.rows.count - 1)
        }
    }

    func set(_ place: Place, _ facts: ObservedFacts) {
        state.withLock { $0.rows[Int(place)].facts = facts }
    }

    func remove(_ place: Place) {
        state.withLock { state in
            state.rows[Int(place)] = ObservedRow(name: "", facts: nil)
            state.free.append(place)
        }
    }

    /// Tells of everything that is there all the time, once; what comes or goes meanwhile may be
    /// told of or not. `body` is called under a lock; the index of a row is its place.
    func forEach(_ body: (ArraySlice<ObservedRow>) -> Void) {
        var start = 0
        var isOver = false
        while !isOver {
            (start, isOver) = state.withLock { state in
                let end = min(start + Self.rowsAtOnce, state.rows.count)
                body(state.rows[start..<end])
                return (end, end == state.rows.count)
            }
        }
    }
}
