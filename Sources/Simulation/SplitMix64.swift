/// A small generator whose whole state is one seed: the same seed, the same run.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func int(_ range: ClosedRange<Int>) -> Int {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int(next() % width)
    }

    /// True in `permille` of a thousand.
    mutating func chance(_ permille: Int) -> Bool { int(0...999) < permille }

    mutating func pick<T>(_ list: [T]) -> T? {
        list.isEmpty ? nil : list[int(0...list.count - 1)]
    }

    /// A moment between two, in microseconds.
    mutating func time(_ low: SimTime, _ high: SimTime) -> SimTime {
        low + SimTime(next() % UInt64(max(1, high - low)))
    }
}

/// Real time of the simulated world, in microseconds since it began. No instance can see it.
package typealias SimTime = Int64

extension SimTime {
    static let millisecond: SimTime = 1000
    static let second: SimTime = 1_000_000
}
