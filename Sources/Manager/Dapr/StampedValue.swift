/// A value as it lies in a store that does not tell writers of their tags: before it, a stamp of its
/// write and the stamp of the value it replaced.
///
/// A writer who reads back knows by the stamp whether the value is theirs, and by the other whether
/// theirs was there and was replaced. Comparing values would not do: two writers may write the same
/// bytes, and only one of them won. The stamps are one line of text, `wsm1 STAMP PREVIOUS`, so that
/// a record can still be read by eye.
struct StampedValue: Sendable, Hashable {
    /// The first line, in bytes.
    static let stampBytes = 5 + 16 + 1 + 16 + 1
    private static let mark = [UInt8]("wsm1 ".utf8)

    /// Drawn for each write.
    var stamp: Stamp
    /// Of what this write replaced; `nil`: it was a create.
    var previous: Stamp?
    var value: [UInt8]

    init(stamp: Stamp, previous: Stamp?, value: [UInt8]) {
        self.stamp = stamp
        self.previous = previous
        self.value = value
    }

    /// - Returns: `nil` if this is not a value that was written with a stamp.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.stampBytes, bytes.starts(with: Self.mark),
            bytes[21] == UInt8(ascii: " "), bytes[Self.stampBytes - 1] == UInt8(ascii: "\n"),
            let stamp = Stamp(digits: bytes[5..<21]), let previous = Stamp(digits: bytes[22..<38]),
            stamp != Stamp.none
        else { return nil }
        self.init(
            stamp: stamp, previous: previous == .none ? nil : previous,
            value: Array(bytes[Self.stampBytes...]))
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.stampBytes + value.count)
        bytes += Self.mark
        bytes += stamp.description.utf8
        bytes.append(UInt8(ascii: " "))
        bytes += (previous ?? .none).description.utf8
        bytes.append(UInt8(ascii: "\n"))
        bytes += value
        return bytes
    }
}

/// The name of one write: 64 random bits, never zero.
struct Stamp: Sendable, Hashable, CustomStringConvertible {
    fileprivate static let none = Stamp(bits: 0)

    private let bits: UInt64

    private init(bits: UInt64) {
        self.bits = bits
    }

    static func random(using generator: inout some RandomNumberGenerator) -> Stamp {
        Stamp(bits: UInt64.random(in: 1 ... .max, using: &generator))
    }

    /// Reads sixteen hexadecimal digits in lower case.
    init?(digits: some Collection<UInt8>) {
        guard digits.count == 16 else { return nil }
        var bits: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                bits = bits << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                bits = bits << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        self.bits = bits
    }

    var description: String {
        let digits = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
