/// Reads how long a server asks to wait (RFC 9110, 10.2.3).
enum RetryAfter {
    /// The wait in a head: seconds as given, or a date less the answer's own `Date`, so that no
    /// clock of ours is needed. Nil when there is none or it cannot be read.
    static func duration(in head: ResponseHead) -> Duration? {
        guard let value = head.values(of: "retry-after").first else { return nil }
        if value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = UInt32(value) {
            return .seconds(Int64(seconds))
        }
        guard
            let until = Self.secondsSince1970(value),
            let now = head.values(of: "date").first.flatMap(Self.secondsSince1970)
        else { return nil }
        return .seconds(max(0, until - now))
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Reads a date as servers must write it, for example `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func secondsSince1970(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard
            parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT",
            let day = UInt8(parts[1]), (1...31).contains(day),
            let month = Self.months.firstIndex(of: String(parts[2])),
            let year = UInt16(parts[3]), (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(separator: ":", omittingEmptySubsequences: false)
            .compactMap { UInt8($0) }
        guard clock.count == 3, clock[0] < 24, clock[1] < 60, clock[2] <= 60 else { return nil }
        let days = Self.daysSince1970(year: Int64(year), month: Int64(month) + 1, day: Int64(day))
        return days * 86_400 + Int64(clock[0]) * 3_600 + Int64(clock[1]) * 60 + Int64(clock[2])
    }

    /// Days from the first of January 1970 in the Gregorian calendar, counting years from March so
    /// that the leap day comes last.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            - 719_468
    }
}
