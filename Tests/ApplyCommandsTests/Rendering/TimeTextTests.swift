import Testing

@testable import ApplyCommands

struct TimeTextTests {
    @Test(arguments: [
        (0, "0s"), (59, "59s"), (60, "1m"), (61, "1m1s"), (3599, "59m"), (3600, "1h"),
        (7500, "2h5m"), (86400, "1d"), (864_000, "10d"), (-5, "0s"),
    ])
    func agesAreShort(_ seconds: Int64, _ text: String) {
        #expect(TimeText.age(seconds: seconds) == text)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (1_767_225_599, "2025-12-31T23:59:59Z"), (4_102_444_800, "2100-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
    ])
    func timesAreWrittenAndRead(_ seconds: Int64, _ text: String) {
        #expect(TimeText.rfc3339(seconds) == text)
        #expect(TimeText.unixSeconds(rfc3339: text) == seconds)
    }

    @Test func fractionsAreCutOffAndNonsenseIsRefused() {
        #expect(TimeText.unixSeconds(rfc3339: "1970-01-01T00:00:05.999Z") == 5)
        #expect(TimeText.unixSeconds(rfc3339: "yesterday") == nil)
        #expect(TimeText.unixSeconds(rfc3339: "1970-13-01T00:00:05Z") == nil)
        #expect(TimeText.unixSeconds(rfc3339: "") == nil)
    }
}
