/// A point in time on the wall clock: for people and for records, never for deadlines.
///
/// Nanoseconds since 1970-01-01T00:00:00Z without leap seconds, as POSIX has it; years 1677 to
/// 2262.
package struct WallTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var nanosecondsSinceEpoch: Int64

    package init(nanosecondsSinceEpoch: Int64) {
        self.nanosecondsSinceEpoch = nanosecondsSinceEpoch
    }

    package static func < (left: WallTime, right: WallTime) -> Bool {
        left.nanosecondsSinceEpoch < right.nanosecondsSinceEpoch
    }

    /// The time `duration` later, held at the ends of the range.
    package func advanced(by duration: Duration) -> WallTime {
        let step = duration.saturatedNanoseconds
        let (sum, isOutside) = nanosecondsSinceEpoch.addingReportingOverflow(step)
        guard isOutside else { return WallTime(nanosecondsSinceEpoch: sum) }
        return WallTime(nanosecondsSinceEpoch: step < 0 ? .min : .max)
    }

    /// From `earlier` to this time, held within ± 292 years.
    package func duration(since earlier: WallTime) -> Duration {
        .nanoseconds(nanosecondsSinceEpoch) - .nanoseconds(earlier.nanosecondsSinceEpoch)
    }

    package var description: String { rfc3339 }

    /// As ``appendRFC3339(to:)`` writes it.
    package var rfc3339: String {
        var bytes: [UInt8] = []
        appendRFC3339(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `2026-03-04T05:06:07Z`: for sentences, cut to the second.
    package var rfc3339Seconds: String { rfc3339.prefix(19) + "Z" }

    /// Appends `2026-03-04T05:06:07.000008Z`: RFC 3339, UTC, always six digits of a second.
    ///
    /// Microseconds are what common parsers take; what is below is cut off, never rounded up, so
    /// that the text is not later than the time. Always 27 bytes, in the order of time as text.
    package func appendRFC3339(to bytes: inout [UInt8]) {
        let (days, inDay) = Self.split(nanosecondsSinceEpoch, by: 86_400_000_000_000)
        let (year, month, day) = Self.civil(daysSinceEpoch: days)
        let micros = inDay / 1000
        let seconds = micros / 1_000_000
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 27) { text in
            Self.write(year, 4, then: "-", at: 0, to: text)
            Self.write(month, 2, then: "-", at: 5, to: text)
            Self.write(day, 2, then: "T", at: 8, to: text)
            Self.write(seconds / 3600, 2, then: ":", at: 11, to: text)
            Self.write(seconds / 60 % 60, 2, then: ":", at: 14, to: text)
            Self.write(seconds % 60, 2, then: ".", at: 17, to: text)
            Self.write(micros % 1_000_000, 6, then: "Z", at: 20, to: text)
            bytes.append(contentsOf: UnsafeBufferPointer(text))
        }
    }

    /// Writes the last `count` digits of a number, and the character behind them.
    private static func write(
        _ number: Int64, _ count: Int, then separator: Unicode.Scalar, at start: Int,
        to text: UnsafeMutableBufferPointer<UInt8>
    ) {
        var rest = UInt64(number)
        text[start + count] = UInt8(ascii: separator)
        for index in stride(from: start + count - 1, through: start, by: -1) {
            text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// Floor division: the remainder is never negative, also before 1970.
    private static func split(_ value: Int64, by unit: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: unit)
        return remainder < 0 ? (quotient - 1, remainder + unit) : (quotient, remainder)
    }

    /// The date of a day number, in the proleptic Gregorian calendar.
    ///
    /// Eras of 400 years that begin on March 1st, so that the leap day is the last of its year.
    private static func civil(daysSinceEpoch days: Int64) -> (Int64, Int64, Int64) {
        let (era, dayOfEra) = split(days + 719_468, by: 146_097)
        let leapCorrected =
            dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096
        let yearOfEra = leapCorrected / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
