/// The pause before the next attempt: decorrelated jitter between a base and a cap.
///
/// Each pause is drawn uniformly from `base ... 3 × previous`, as in the AWS architecture note on
/// back-off and jitter. The plain rule `min(cap, draw)` piles most clients up *on* the cap once it
/// is reached, so that a thousand of them come back in the same instant again and again. Here the
/// range is cut, not the draw: when `3 × previous` passes the cap the pause is drawn from
/// `cap / 3 ... cap`. That keeps the spread at the cap (two thirds of it), and since three times
/// any such pause passes the cap again, a client that got there stays there until ``reset()``.
///
/// With `base == cap` no spread is left between the two, and every pause is the cap.
package struct Backoff: Sendable, Hashable {
    private let base: Int64
    private let cap: Int64
    /// The last pause in nanoseconds.
    private(set) var previous: Int64

    /// - Parameters:
    ///   - base: Shortest pause, and the scale of the first one. At least one nanosecond is used.
    ///   - cap: Longest pause. Less than `base` counts as `base`.
    ///   - previous: The last pause in nanoseconds; 0 where there was none.
    package init(base: Duration, cap: Duration, after previous: Int64 = 0) {
        self.base = max(1, base.saturatedNanoseconds)
        self.cap = max(self.base, cap.saturatedNanoseconds)
        self.previous = previous > 0 ? previous : self.base
    }

    /// Draws the next pause; it lies in `base ... cap`.
    package mutating func next(
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let (tripled, isPastEveryCap) = previous.multipliedReportingOverflow(by: 3)
        let range =
            isPastEveryCap || tripled > cap ? max(base, cap / 3)...cap : base...tripled
        previous = Int64.random(in: range, using: &generator)
        return .nanoseconds(previous)
    }

    /// Forgets the failures so far: the next pause is drawn from `base ... 3 × base` again.
    package mutating func reset() {
        previous = base
    }
}

extension Duration {
    /// The length in whole nanoseconds, rounded toward zero, held within ± 292 years.
    package var saturatedNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isPastTheEnd) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        guard isTooLong || isPastTheEnd else { return sum }
        return seconds < 0 ? .min : .max
    }
}
