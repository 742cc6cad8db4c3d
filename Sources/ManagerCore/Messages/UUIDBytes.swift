/// The 128 bits of a UUID (RFC 9562), drawn from a generator that is passed in.
package struct UUIDBytes: Sendable, Hashable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A random UUID (version 4).
    package static func random(using generator: inout some RandomNumberGenerator) -> UUIDBytes {
        let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x0000_0000_0000_4000
        let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return UUIDBytes(high: high, low: low)
    }

    /// Reads the first sixteen bytes, in network order; `nil` if there are fewer.
    package init?(prefixOf bytes: some Collection<UInt8>) {
        var words: (UInt64, UInt64) = (0, 0)
        var count = 0
        for byte in bytes.prefix(16) {
            words.0 = words.0 << 8 | words.1 >> 56
            words.1 = words.1 << 8 | UInt64(byte)
            count += 1
        }
        guard count == 16 else { return nil }
        self.init(high: words.0, low: words.1)
    }

    /// Reads the 36 characters of the text form, in either case; `nil` for anything else.
    package init?(text: some Collection<UInt8>) {
        var words: (UInt64, UInt64) = (0, 0)
        var count = 0
        for byte in text {
            if byte == UInt8(ascii: "-") {
                guard [8, 13, 18, 23].contains(count) else { return nil }
            } else {
                guard ![8, 13, 18, 23].contains(count), let digit = Self.hexDigit(byte)
                else { return nil }
                words.0 = words.0 << 4 | words.1 >> 60
                words.1 = words.1 << 4 | UInt64(digit)
            }
            count += 1
        }
        guard count == 36 else { return nil }
        self.init(high: words.0, low: words.1)
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Appends the sixteen bytes in network order.
    package func append(to bytes: inout [UInt8]) {
        for word in [high, low] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
    }

    /// Appends the 36 characters `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, in lower case.
    package func appendText(to bytes: inout [UInt8]) {
        // Groups of 8, 4, 4, 4 and 12 digits.
        Self.appendDigits(of: high, 32..<64, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.appendDigits(of: high, 16..<32, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.appendDigits(of: high, 0..<16, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.appendDigits(of: low, 48..<64, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.appendDigits(of: low, 0..<48, to: &bytes)
    }

    /// - Parameter bits: a multiple of four, counted from the lowest.
    private static func appendDigits(
        of word: UInt64, _ bits: Range<Int>, to bytes: inout [UInt8]
    ) {
        var shift = bits.upperBound
        while shift > bits.lowerBound {
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift)) & 15
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    package var description: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(36)
        appendText(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
