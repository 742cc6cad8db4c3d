import ManagerCore
import TestKit
import Testing

@Suite struct BackoffTests {
    @Test(arguments: UInt64(1)...50) func everyPauseLiesBetweenBaseAndCap(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let base = Duration.milliseconds(Int.random(in: 10...5000, using: &generator))
        let cap = base + .milliseconds(Int.random(in: 0...60_000, using: &generator))
        var backoff = Backoff(base: base, cap: cap)
        var previous = base
        for _ in 0..<100 {
            let pause = backoff.next(using: &generator)
            #expect(pause >= base && pause <= cap, "seed \(seed)")
            #expect(pause <= max(previous * 3, base), "seed \(seed)")
            previous = pause
        }
    }

    @Test func pausesAreSpreadAtTheCapToo() {
        var generator = SplitMix64(seed: 7)
        var buckets: [Int64: Int] = [:]
        for _ in 0..<2000 {
            var backoff = Backoff(base: .seconds(1), cap: .seconds(30))
            for _ in 0..<200 { _ = backoff.next(using: &generator) }
            buckets[backoff.next(using: &generator).components.seconds, default: 0] += 1
        }
        // Long after the cap was reached: a uniform spread over 10 s ..< 30 s, 100 in each second.
        #expect(buckets.keys.allSatisfy { (10...30).contains($0) })
        for second in Int64(10)..<30 {
            #expect((60...150).contains(buckets[second, default: 0]), "second \(second)")
        }
    }

    @Test func aResetStartsFromTheBaseAgain() {
        var generator = SplitMix64(seed: 3)
        var backoff = Backoff(base: .seconds(1), cap: .seconds(3600))
        for _ in 0..<30 { _ = backoff.next(using: &generator) }
        #expect(backoff.next(using: &generator) >= .seconds(1200))
        backoff.reset()
        #expect(backoff.next(using: &generator) <= .seconds(3))
    }

    @Test func absurdBoundsGiveUsablePauses() {
        var generator = SplitMix64(seed: 4)
        var none = Backoff(base: .zero, cap: .zero)
        #expect(none.next(using: &generator) == .nanoseconds(1))
        var fixed = Backoff(base: .seconds(5), cap: .seconds(5))
        #expect(fixed.next(using: &generator) == .seconds(5))
        #expect(fixed.next(using: &generator) == .seconds(5))
        var inverted = Backoff(base: .seconds(5), cap: .seconds(1))
        #expect(inverted.next(using: &generator) == .seconds(5))
        var endless = Backoff(base: .seconds(Int64.max / 2), cap: .seconds(Int64.max))
        #expect(endless.next(using: &generator) > .seconds(3_000_000_000))
    }

    @Test(arguments: [
        (Duration.zero, Int64(0)), (.nanoseconds(-5), -5), (.milliseconds(1500), 1_500_000_000),
        (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
    ])
    func durationsAreReadAsNanosecondsWithoutOverflow(duration: Duration, nanoseconds: Int64) {
        #expect(duration.saturatedNanoseconds == nanoseconds)
    }
}
