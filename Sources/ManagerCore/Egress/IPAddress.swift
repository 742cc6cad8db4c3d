/// An IPv4 or IPv6 address as its bits, without zone and port.
///
/// What a guard compares is this value, never a text: one address has many spellings and one value.
package enum IPAddress: Sendable, Hashable {
    case v4(UInt32)
    /// The first and the last 64 bits.
    case v6(high: UInt64, low: UInt64)

    /// From the bytes as they stand in a packet: 4 or 16 of them.
    package init?(networkBytes bytes: [UInt8]) {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
            bytes.reduce(0) { $0 << 8 | UInt64($1) }
        }
        switch bytes.count {
        case 4: self = .v4(UInt32(truncatingIfNeeded: number(bytes[...])))
        case 16: self = .v6(high: number(bytes.prefix(8)), low: number(bytes.suffix(8)))
        default: return nil
        }
    }

    /// Reads dotted decimal of four parts without leading zeros, or RFC 4291 section 2.2. Octal,
    /// hexadecimal and short forms of IPv4, zones and brackets are refused.
    package init?(_ text: some StringProtocol) {
        if let address = Self.v4(text) {
            self = .v4(address)
        } else if let groups = Self.groups(text) {
            let words = groups.map { UInt64($0) }
            self = .v6(
                high: words[..<4].reduce(0) { $0 << 16 | $1 },
                low: words[4...].reduce(0) { $0 << 16 | $1 })
        } else {
            return nil
        }
    }

    package var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// An IPv4 address in the clothes of IPv6 (`::ffff:a.b.c.d`) as the IPv4 address that the
    /// system dials for it; every other address as it is.
    package var unmapped: IPAddress {
        guard case .v6(0, let low) = self, low >> 32 == 0xffff else { return self }
        return .v4(UInt32(truncatingIfNeeded: low))
    }
}

// MARK: Reading

extension IPAddress {
    private static func v4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }),
                part.count == 1 || part.first != 0x30
            else { return nil }
            let number = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 - 0x30) }
            guard number < 256 else { return nil }
            address = address << 8 | number
        }
        return address
    }

    /// Eight groups of 16 bits.
    private static func groups(_ text: some StringProtocol) -> [UInt16]? {
        guard text.utf8.count <= 45 else { return nil }
        let bytes = Array(text.utf8)
        let colon = UInt8(ascii: ":")
        guard
            let gap = bytes.indices.dropLast().first(where: {
                bytes[$0] == colon && bytes[$0 + 1] == colon
            })
        else {
            guard let all = run(bytes[...], isLast: true), all.count == 8 else { return nil }
            return all
        }
        guard let head = run(bytes[..<gap], isLast: false),
            let tail = run(bytes[(gap + 2)...], isLast: true), head.count + tail.count <= 7
        else { return nil }
        return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    /// Groups between colons; the last two may be written as IPv4.
    private static func run(_ bytes: ArraySlice<UInt8>, isLast: Bool) -> [UInt16]? {
        guard !bytes.isEmpty else { return [] }
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            let text = String(decoding: part, as: UTF8.self)
            if isLast, index == parts.count - 1, let address = v4(text) {
                groups += [
                    UInt16(truncatingIfNeeded: address >> 16), UInt16(truncatingIfNeeded: address),
                ]
                continue
            }
            guard (1...4).contains(part.count), part.allSatisfy(isHexDigit),
                let group = UInt16(text, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}

// MARK: Writing

extension IPAddress: CustomStringConvertible {
    /// Dotted decimal, or the one spelling of RFC 5952.
    package var description: String {
        switch self {
        case .v4(let address): Self.dotted(address)
        case .v6(0, let low) where low >> 32 == 0xffff:
            "::ffff:" + Self.dotted(UInt32(truncatingIfNeeded: low))
        case .v6(let high, let low): Self.colons(high, low)
        }
    }

    private static func dotted(_ address: UInt32) -> String {
        stride(from: 24, through: 0, by: -8).map { "\(address >> $0 & 0xff)" }
            .joined(separator: ".")
    }

    private static func colons(_ high: UInt64, _ low: UInt64) -> String {
        let groups = [high, low].flatMap { half in
            stride(from: 48, through: 0, by: -16).map { half >> $0 & 0xffff }
        }
        // The longest run of zeros, the first of equals, from two groups on.
        var longest = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || groups[index] != 0 {
            if index - start > max(longest.count, 1) { longest = start..<index }
            start = index + 1
        }
        let words = groups.map { String($0, radix: 16) }
        guard !longest.isEmpty else { return words.joined(separator: ":") }
        return words[..<longest.lowerBound].joined(separator: ":") + "::"
            + words[longest.upperBound...].joined(separator: ":")
    }
}
