/// Durations counted by size, as a Prometheus histogram has them.
package struct DurationHistogram: Sendable, Hashable {
    /// Upper ends of the buckets, rising; what is longer than the last is counted all the same.
    package let bounds: [Duration]
    /// One more than ``bounds``: each counts what is above the bound before it.
    package private(set) var counts: [UInt64]
    package private(set) var sum: Duration = .zero

    /// - Parameter bounds: Rising; at least one.
    package init(bounds: [Duration]) {
        precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package var count: UInt64 { counts.reduce(0, +) }

    package mutating func record(_ duration: Duration) {
        let bucket = bounds.firstIndex { duration <= $0 } ?? bounds.count
        counts[bucket] += 1
        sum += max(.zero, duration)
    }

    /// From a lookup in memory to a dial that uses up its `timeouts.dial`.
    package static let dials = DurationHistogram(
        bounds: [
            .milliseconds(1), .milliseconds(5), .milliseconds(10), .milliseconds(25),
            .milliseconds(50), .milliseconds(100), .milliseconds(250), .milliseconds(500),
            .seconds(1), .milliseconds(2500), .seconds(5), .seconds(10), .seconds(20),
        ])

    /// From a pass that finds nothing to do to one that waits for a slow store.
    package static let passes = DurationHistogram(
        bounds: [
            .microseconds(10), .microseconds(50), .microseconds(100), .microseconds(500),
            .milliseconds(1), .milliseconds(5), .milliseconds(10), .milliseconds(50),
            .milliseconds(100), .milliseconds(500), .seconds(1), .seconds(5),
        ])
}
