import DequeModule
package import ManagerCore

/// Who may dial now: a first-come queue per host in front of the ``DialBudget``.
///
/// Without the queue, a thousand connections that wait for one host would all ask again at the
/// same moment; so only as many are told to go as the budget has room for.
package struct DialAdmission: Sendable {
    private var budget: DialBudget
    private var waiting: [String: Deque<String>] = [:]
    private var queuedHost: [String: String] = [:]
    private var permits: [String: Permit] = [:]

    private struct Permit: Sendable {
        var host: String
        /// A dial began with it; the next one needs another.
        var isUsed: Bool
    }

    package init(budget: DialBudget) {
        self.budget = budget
    }

    /// Asks for a dial. `true`: go now, and ``finished(_:now:)`` is owed.
    package mutating func request(
        _ name: String, host: String, now: ContinuousClock.Instant
    ) -> Bool {
        if let held = permits[name] {
            if held.host == host, !held.isUsed {
                permits[name]?.isUsed = true
                return true
            }
            finished(name, now: now)
        }
        if let queued = queuedHost[name] {
            if queued == host { return false }
            leaveQueue(name)
        }
        if waiting[host]?.isEmpty ?? true, case .granted = budget.request(host: host, now: now) {
            permits[name] = Permit(host: host, isUsed: true)
            return true
        }
        waiting[host, default: []].append(name)
        queuedHost[name] = host
        return false
    }

    /// The dial is over, one way or the other, or was not needed after all.
    package mutating func finished(_ name: String, now: ContinuousClock.Instant) {
        leaveQueue(name)
        guard let permit = permits.removeValue(forKey: name) else { return }
        budget.finished(host: permit.host, now: now)
    }

    package func holdsPermit(_ name: String) -> Bool { permits[name] != nil }
    package func isQueued(_ name: String) -> Bool { queuedHost[name] != nil }

    /// Lets as many go as there is room for.
    ///
    /// - Returns: the names that now hold a permit, and when to ask again for the rest; `nil` if
    ///   only the end of a dial can help.
    package mutating func admit(
        now: ContinuousClock.Instant
    ) -> (granted: [String], next: ContinuousClock.Instant?) {
        var granted: [String] = []
        var next: ContinuousClock.Instant?
        for host in waiting.keys.sorted() {
            hostLoop: while let name = waiting[host]?.first {
                switch budget.request(host: host, now: now) {
                case .granted:
                    waiting[host]?.removeFirst()
                    queuedHost[name] = nil
                    permits[name] = Permit(host: host, isUsed: false)
                    granted.append(name)
                case .wait(let until):
                    next = min(next ?? until, until)
                    break hostLoop
                case .waitForFinish:
                    break hostLoop
                }
            }
            if waiting[host]?.isEmpty ?? false { waiting[host] = nil }
        }
        return (granted, next)
    }

    private mutating func leaveQueue(_ name: String) {
        guard let host = queuedHost.removeValue(forKey: name) else { return }
        waiting[host]?.removeAll { $0 == name }
    }
}
