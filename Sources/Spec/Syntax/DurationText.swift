/// Durations as a manifest writes them: `30s`, `1h30m`, `1.5s`, `500ms`.
///
/// One or more of a number and a unit (`h`, `m`, `s`, `ms`), from large to small, at most 8760h and
/// no finer than a nanosecond.
package enum DurationText {
    /// 8760 hours, in nanoseconds.
    static let maxNanoseconds: Int64 = 8760 * 3_600_000_000_000

    /// Reads a duration; the error is a sentence for the author.
    package static func parse(_ text: String) throws(SyntaxProblem) -> Duration {
        try text.withBytes { bytes throws(SyntaxProblem) in try parse(bytes) }
    }

    /// Writes a duration so that ``parse(_:)`` reads the same again.
    package static func format(_ duration: Duration) -> String {
        var rest = nanoseconds(duration)
        guard rest > 0 else { return "0s" }
        guard rest >= 1_000_000_000 else { return decimal(rest, unit: 1_000_000) + "ms" }
        var text = ""
        for (name, unit) in [("h", Int64(3_600_000_000_000)), ("m", 60_000_000_000)]
        where rest >= unit {
            text += "\(rest / unit)\(name)"
            rest %= unit
        }
        return rest > 0 ? text + decimal(rest, unit: 1_000_000_000) + "s" : text
    }

    /// Whole nanoseconds; what is finer is cut off.
    static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }

    private static func decimal(_ value: Int64, unit: Int64) -> String {
        let fraction = value % unit
        guard fraction > 0 else { return "\(value / unit)" }
        var digits = String(fraction)
        digits =
            String(repeating: "0", count: String(unit).utf8.count - 1 - digits.utf8.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(value / unit).\(digits)"
    }

    private static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(SyntaxProblem) -> Duration {
        guard let first = bytes.first else { throw "a duration is empty; write one as 30s" }
        guard first != UInt8(ascii: "-") else { throw "a duration cannot be negative" }
        var at = 0
        var total: Int64 = 0
        var lastUnit = Int64.max
        while at < bytes.count {
            let number = try readNumber(bytes, &at)
            let unit = try readUnit(bytes, &at)
            guard unit < lastUnit else {
                throw "units go from large to small, each once, as in 1h30m"
            }
            lastUnit = unit
            let (sum, overflow) = total.addingReportingOverflow(try number.times(unit))
            guard !overflow, sum <= maxNanoseconds else { throw "a duration is at most 8760h" }
            total = sum
        }
        return .nanoseconds(total)
    }

    /// A decimal number: `digits` times ten to the power of minus `scale`.
    private struct Decimal {
        var digits: Int64
        var scale: Int

        func times(_ unit: Int64) throws(SyntaxProblem) -> Int64 {
            var power: Int64 = 1
            for _ in 0..<scale { power *= 10 }
            let whole = digits / power
            let (nanoseconds, overflow) = whole.multipliedReportingOverflow(by: unit)
            guard !overflow else { throw "a duration is at most 8760h" }
            let (fraction, remainder) = power.dividingFullWidth(
                (digits % power).multipliedFullWidth(by: unit))
            guard remainder == 0 else { throw "a duration is no finer than a nanosecond" }
            return nanoseconds + fraction
        }
    }

    private static func readNumber(
        _ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int
    ) throws(SyntaxProblem) -> Decimal {
        var number = Decimal(digits: 0, scale: 0)
        var whole = 0
        var inFraction = false
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "."), !inFraction, whole > 0 {
                inFraction = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                if inFraction { number.scale += 1 } else { whole += 1 }
                guard number.scale <= 9, number.digits < 100_000_000_000_000 else {
                    throw "a duration is at most 8760h and no finer than a nanosecond"
                }
                number.digits = number.digits * 10 + Int64(byte - UInt8(ascii: "0"))
            } else {
                break
            }
            at += 1
        }
        guard whole > 0, !inFraction || number.scale > 0 else {
            throw "a duration is a number and a unit, as in 30s, 1h30m or 1.5s"
        }
        return number
    }

    private static func readUnit(
        _ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int
    ) throws(SyntaxProblem) -> Int64 {
        let start = at
        while at < bytes.count, !(bytes[at] >= 0x30 && bytes[at] <= 0x39), bytes[at] != 0x2E {
            at += 1
        }
        switch (at - start, at > start ? bytes[start] : 0, at > start + 1 ? bytes[start + 1] : 0) {
        case (1, UInt8(ascii: "h"), _): return 3_600_000_000_000
        case (1, UInt8(ascii: "m"), _): return 60_000_000_000
        case (1, UInt8(ascii: "s"), _): return 1_000_000_000
        case (2, UInt8(ascii: "m"), UInt8(ascii: "s")): return 1_000_000
        case (0, _, _): throw "a duration needs a unit: h, m, s or ms"
        default:
            let name = String(decoding: bytes[start..<at].prefix(16), as: UTF8.self)
            throw SyntaxProblem("\"\(name)\" is no unit of time; use h, m, s or ms")
        }
    }
}
