// What `ContinuousClock.Instant` offers too. That one is laid out by the standard library at run
// time, and so is everything that has one in it: copying and comparing such values are calls.
extension Moment {
    package func advanced(by duration: Duration) -> Moment { self + duration }

    package func duration(to later: Moment) -> Duration { later - self }
}
