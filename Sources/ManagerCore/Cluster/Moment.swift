/// A point on the one clock that an instance measures its lease and its suspicions on.
///
/// The clock counts suspend and never jumps (`ContinuousClock` in the server). Moments of two
/// instances have nothing to do with each other.
package struct Moment: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Since an arbitrary start.
    package var offset: Duration

    package init(_ offset: Duration) {
        self.offset = offset
    }

    /// Before every moment that a clock shows.
    package static let distantPast = Moment(.seconds(-1_000_000_000))

    package static func < (left: Moment, right: Moment) -> Bool { left.offset < right.offset }

    package static func + (moment: Moment, duration: Duration) -> Moment {
        Moment(moment.offset + duration)
    }

    package static func - (later: Moment, earlier: Moment) -> Duration {
        later.offset - earlier.offset
    }

    package var description: String {
        let milliseconds = offset.saturatedNanoseconds / 1_000_000
        return "\(milliseconds / 1000).\(String(milliseconds % 1000 + 1000).dropFirst())s"
    }
}
