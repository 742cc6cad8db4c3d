import ManagerCore
import TestKit
import Testing

@Suite struct WallTimeTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000000Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (999, "1970-01-01T00:00:00.000000Z"),
        (1_000, "1970-01-01T00:00:00.000001Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
        (951_868_799_999_999_999, "2000-02-29T23:59:59.999999Z"),
        (951_868_800_000_000_000, "2000-03-01T00:00:00.000000Z"),
        (1_772_600_767_000_008_999, "2026-03-04T05:06:07.000008Z"),
        (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000000Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"),
        (1_735_689_599_123_456_789, "2024-12-31T23:59:59.123456Z"),
        (.max, "2262-04-11T23:47:16.854775Z"),
        (.min, "1677-09-21T00:12:43.145224Z"),
    ])
    func timesAreWrittenAsRFC3339(nanoseconds: Int64, text: String) {
        #expect(WallTime(nanosecondsSinceEpoch: nanoseconds).rfc3339 == text)
    }

    @Test func textsAreInTheOrderOfTime() {
        var generator = SplitMix64(seed: 1)
        let times = (0..<2000).map { _ in
            WallTime(nanosecondsSinceEpoch: Int64.random(in: .min ... .max, using: &generator))
        }
        let byTime = times.sorted().map(\.rfc3339)
        #expect(byTime == byTime.sorted())
    }

    @Test func sumsStayInRange() {
        let time = WallTime(nanosecondsSinceEpoch: .max - 1)
        #expect(time.advanced(by: .seconds(1)).nanosecondsSinceEpoch == .max)
        #expect(time.advanced(by: .nanoseconds(-1)).nanosecondsSinceEpoch == .max - 2)
        let first = WallTime(nanosecondsSinceEpoch: .min)
        #expect(first.advanced(by: .seconds(-1)) == first)
        #expect(time.duration(since: first) > .seconds(18_000_000_000))
    }
}
