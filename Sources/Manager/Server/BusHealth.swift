package import ManagerCore
import Synchronization

/// What the connections have last heard from the bus. They tell of every batch that was not taken,
/// and of the first that was after one; a bus that works costs nothing.
package final class BusHealth: Sendable {
    /// A connection whose batch was not taken tries again within seconds, so a failure that nobody
    /// repeats for so long is over: its connection was deleted.
    static let failureLasts: Duration = .seconds(30)

    private struct Failure {
        var at: Moment
        var sentence: String
    }

    private let failure = Mutex<Failure?>(nil)
    private let now: @Sendable () -> Moment

    package init(now: @escaping @Sendable () -> Moment) {
        self.now = now
    }

    func failed(_ sentence: String) {
        let at = now()
        failure.withLock { $0 = Failure(at: at, sentence: sentence) }
    }

    func recovered() {
        failure.withLock { $0 = nil }
    }

    /// What the bus said, while it does not take messages.
    package var present: String? {
        let now = now()
        return failure.withLock { failure in
            guard let found = failure else { return nil }
            guard found.at.duration(to: now) < Self.failureLasts else {
                failure = nil
                return nil
            }
            return found.sentence
        }
    }
}
