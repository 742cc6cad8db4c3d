/// The right of one incarnation to act, measured on its own clock.
///
/// An applied heartbeat grants from its *begin* on; an unconfirmed one grants nothing. Once fenced,
/// only a heartbeat that began after the fencing counts, and then the headers must be read first.
package struct Lease: Sendable, Hashable {
    private enum State: Sendable, Hashable {
        case none
        case valid(until: Moment)
        /// Not allowed to act; may become allowed again.
        case fenced(since: Moment)
        /// Beats again; the own headers are still to be read.
        case confirming(since: Moment, until: Moment)
    }

    private var state = State.none
    private let length: Duration

    package init(length: Duration) {
        self.length = length
    }

    /// Act only before this moment; `nil` while fenced. The one number that all loops read.
    package var validUntil: Moment? {
        if case .valid(let until) = state { until } else { nil }
    }

    package func isValid(now: Moment) -> Bool {
        if case .valid(let until) = state { now < until } else { false }
    }

    package var fencedSince: Moment? {
        switch state {
        case .none, .valid: nil
        case .fenced(let since), .confirming(let since, _): since
        }
    }

    package var isConfirming: Bool {
        if case .confirming = state { true } else { false }
    }

    /// A new membership began with a write that was applied.
    package mutating func joined(began: Moment) {
        state = .valid(until: began + length)
    }

    /// The membership ended.
    package mutating func ended() {
        state = .none
    }

    /// Looks at the clock. Call before anything else is decided at this moment.
    /// - Returns: True if the lease ran out by now and was valid before.
    package mutating func expire(now: Moment) -> Bool {
        switch state {
        case .valid(let until) where now >= until:
            state = .fenced(since: now)
            return true
        case .confirming(let since, let until) where now >= until:
            state = .fenced(since: since)
            return false
        default:
            return false
        }
    }

    /// The process stood still, or its clocks disagree: heartbeats from before do not count.
    /// - Returns: True if it was valid before.
    package mutating func distrust(now: Moment) -> Bool {
        switch state {
        case .none:
            return false
        case .valid:
            state = .fenced(since: now)
            return true
        case .fenced, .confirming:
            state = .fenced(since: now)
            return false
        }
    }

    /// A heartbeat was applied.
    /// - Returns: True if the own headers must now be read and then ``confirmed()`` be called.
    package mutating func beat(began: Moment) -> Bool {
        switch state {
        case .none:
            return false
        case .valid(let until):
            state = .valid(until: max(until, began + length))
            return false
        case .fenced(let since):
            guard began > since else { return false }
            state = .confirming(since: since, until: began + length)
            return true
        case .confirming(let since, let until):
            if began > since {
                state = .confirming(since: since, until: max(until, began + length))
            }
            return true
        }
    }

    /// The own headers were read, by a read that began after the heartbeat was applied.
    package mutating func confirmed(now: Moment) {
        guard case .confirming(_, let until) = state, now < until else { return }
        state = .valid(until: until)
    }
}
