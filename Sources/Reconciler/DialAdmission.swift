import DequeModule
package import ManagerCore

/// Who may dial now: a first-come queue per host in front of the ``DialBudget``.
///
/// Without the queue, a thousand connections that wait for one host would all ask again at the
/// same moment; so only as many are told to go as the budget has room for.
package struct DialAdmission: Sendable {
    /// Room for so many names is kept when there are none.
    private static let keptRoom = 256

    private var budget: DialBudget
    private var lines: [String: Line] = [:]
    private var places: [String: Place] = [:]
    private var lastTicket: UInt64 = 0
    private var permits: [String: Permit] = [:]

    /// Where a name stands.
    private struct Place: Sendable {
        var host: String
        var ticket: UInt64
    }

    /// Those who wait for one host. Who leaves goes from ``places`` alone, so that a hundred thousand
    /// may leave at once; what stays behind is passed over, and swept when it is the larger part.
    private struct Line: Sendable {
        var tickets: Deque<(name: String, ticket: UInt64)> = []
        /// How many of them still wait.
        var count = 0
    }

    private struct Permit: Sendable {
        var host: String
        /// A dial began with it; the next one needs another.
        var isUsed: Bool
    }

    package init(budget: DialBudget) {
        self.budget = budget
    }

    /// So many instances dial the same hosts; see ``DialBudget/share(among:)``.
    package mutating func setMembers(_ count: Int) {
        budget.share(among: count)
    }

    /// Asks for a dial. `true`: go now, and ``finished(_:now:)`` is owed.
    package mutating func request(
        _ name: String, host: String, now: Moment
    ) -> Bool {
        if let held = permits[name] {
            if held.host == host, !held.isUsed {
                permits[name]?.isUsed = true
                return true
            }
            finished(name, now: now)
        }
        if let place = places[name] {
            if place.host == host { return false }
            leaveQueue(name)
        }
        if lines[host] == nil, case .granted = budget.request(host: host, now: now) {
            permits[name] = Permit(host: host, isUsed: true)
            return true
        }
        lastTicket += 1
        lines[host, default: Line()].tickets.append((name, lastTicket))
        lines[host]?.count += 1
        places[name] = Place(host: host, ticket: lastTicket)
        return false
    }

    /// The dial is over, one way or the other, or was not needed after all.
    package mutating func finished(_ name: String, now: Moment) {
        leaveQueue(name)
        guard let permit = permits.removeValue(forKey: name) else { return }
        if permits.isEmpty, permits.capacity > Self.keptRoom { permits = [:] }
        if places.isEmpty, places.capacity > Self.keptRoom { places = [:] }
        budget.finished(host: permit.host, now: now)
    }

    /// Everybody who has a permit or waits for one.
    var names: [String] { Array(permits.keys) + Array(places.keys) }

    package func holdsPermit(_ name: String) -> Bool { permits[name] != nil }
    package func isQueued(_ name: String) -> Bool { places[name] != nil }

    /// Lets as many go as there is room for.
    ///
    /// - Returns: the names that now hold a permit, and when to ask again for the rest; `nil` if
    ///   only the end of a dial can help.
    package mutating func admit(
        now: Moment
    ) -> (granted: [String], next: Moment?) {
        var granted: [String] = []
        var next: Moment?
        for host in lines.keys.sorted() {
            hostLoop: while let (name, ticket) = lines[host]?.tickets.first {
                guard places[name]?.ticket == ticket else {
                    lines[host]?.tickets.removeFirst()
                    continue
                }
                switch budget.request(host: host, now: now) {
                case .granted:
                    lines[host]?.tickets.removeFirst()
                    leaveQueue(name)
                    permits[name] = Permit(host: host, isUsed: false)
                    granted.append(name)
                case .wait(let until):
                    next = min(next ?? until, until)
                    break hostLoop
                case .waitForFinish:
                    break hostLoop
                }
            }
        }
        return (granted, next)
    }

    private mutating func leaveQueue(_ name: String) {
        guard let host = places.removeValue(forKey: name)?.host, var line = lines[host] else {
            return
        }
        // Taken out while it changes, or its tickets would be copied.
        lines[host] = nil
        line.count -= 1
        if line.tickets.count > 2 * line.count + 32 {
            line.tickets.removeAll { places[$0.name]?.ticket != $0.ticket }
        }
        if line.count > 0 { lines[host] = line }
    }
}
