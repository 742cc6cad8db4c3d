package import ManagerCore

/// When a look at a manifest directory is worth acting on.
///
/// A change is taken when two looks in a row, ``settle`` apart, agree: whoever copies, unpacks or
/// checks out files has paused by then. The pause is also longer than the grain of a file system's
/// clock, so that two writes within one grain cannot look like one. Time is passed in.
package struct DirectoryWatch: Sendable {
    /// Between looks while nothing changes.
    package static let interval: Duration = .milliseconds(500)
    /// For which a change must stand still.
    package static let settle: Duration = .milliseconds(250)
    /// The same after SIGHUP: its sender says that the files are whole.
    package static let settleWhenAsked: Duration = .milliseconds(50)
    /// The same for a manifest whose last line has no end, which a slow copy may still be writing.
    package static let settleWhenCutOff: Duration = .seconds(5)
    /// After something that may go away by itself: a store or a file that cannot be read, an object
    /// of another set that is in the way.
    package static let retry: Duration = .seconds(10)
    /// Looks may take one part of so many of the time; a directory that is slow to look at is looked
    /// at less often.
    package static let shareOfTime = 20
    /// But not less often than this.
    package static let longestInterval: Duration = .seconds(5)

    package enum Decision: Sendable, Hashable {
        /// Look again after this.
        case wait(Duration)
        /// What was seen has settled, and has not been judged in this state.
        case judge
    }

    private struct Look: Sendable {
        var snapshot: DirectorySnapshot
        var since: Moment
    }

    private var seen: Look?
    private var judged: DirectorySnapshot?
    private var retryAt: Moment?
    private var isAsked = false

    /// An operator asked, and nothing has been judged since.
    package var isAskedToReload: Bool { isAsked }

    package init() {}

    /// A look is done.
    ///
    /// - Parameter hasDrifted: somebody else changed the set: it is to be put right.
    package mutating func looked(
        _ snapshot: DirectorySnapshot, hasDrifted: Bool, now: Moment
    ) -> Decision {
        guard let seen, seen.snapshot == snapshot else {
            seen = Look(snapshot: snapshot, since: now)
            return snapshot == judged && !isAsked ? .wait(Self.interval) : .wait(pause)
        }
        let isDue = isAsked || hasDrifted || retryAt.map { $0 <= now } ?? false
        guard snapshot != judged || isDue else { return .wait(Self.interval) }
        let age = seen.since.duration(to: now)
        return age < pause ? .wait(pause - age) : .judge
    }

    /// What was to be judged may be cut off: how long to wait yet.
    ///
    /// - Returns: `nil` if it has stood still for long enough.
    package func patience(now: Moment) -> Duration? {
        guard let seen, !isAsked else { return nil }
        let age = seen.since.duration(to: now)
        return age < Self.settleWhenCutOff ? min(Self.settleWhenCutOff - age, Self.interval) : nil
    }

    /// The files changed while they were read.
    package mutating func changedMeanwhile() { seen = nil }

    /// The snapshot has had its effect, or was refused.
    package mutating func judged(
        _ snapshot: DirectorySnapshot, isWorthARetry: Bool, now: Moment
    ) {
        judged = snapshot
        isAsked = false
        retryAt = isWorthARetry ? now.advanced(by: Self.retry) : nil
    }

    /// Everything is to be read and applied again, changed or not.
    package mutating func askedToReload() {
        isAsked = true
        seen = nil
    }

    private var pause: Duration { isAsked ? Self.settleWhenAsked : Self.settle }

    /// The pause before the next look, given how long one takes; a change that is about to settle is
    /// not kept waiting.
    package static func spread(_ wanted: Duration, lookTook: Duration) -> Duration {
        wanted < interval ? wanted : max(wanted, min(lookTook * shareOfTime, longestInterval))
    }
}
