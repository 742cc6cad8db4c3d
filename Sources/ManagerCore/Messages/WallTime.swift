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

    /// Appends `2026-03-04T05:06:07.000008Z`: RFC 3339, UTC, always six digits of a second.
    ///
    /// Microseconds are what common parsers take; what is below is cut off, never rounded up, so
    /// that the text is not later than the time. Always 27 bytes, in the order of time as text.
    package func appendRFC3339(to bytes: inout [UInt8]) {
        let (days, inDay) = Self.split(nanosecondsSinceEpoch, by: 86_400_000_000_000)
        let (year, month, day) = Self.civil(daysSinceEpoch: days)
        let micros = inDay / 1000
        let seconds = micros / 1_000_000
        Self.append(year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        Self.append(seconds / 3600, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(seconds / 60 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(seconds % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Self.append(micros % 1_000_000, digits: 6, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func append(_ number: Int64, digits: Int, to bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
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
