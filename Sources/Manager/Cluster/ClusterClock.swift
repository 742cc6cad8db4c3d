package import ManagerCore

/// The two clocks of the ownership protocol: one that counts suspend and never jumps, for the lease
/// and for suspicion, and Unix time.
package struct ClusterClock: Sendable {
    private let clock: ManagerClock
    private let start: Moment

    package init(_ clock: ManagerClock) {
        self.clock = clock
        start = clock.now()
    }

    /// Since the clock was made.
    package var now: Moment { Moment(clock.now() - start) }

    package var wall: Duration { .nanoseconds(clock.wallTime().nanosecondsSinceEpoch) }
}
