/// A range of addresses in CIDR notation (RFC 4632).
package struct IPRange: Sendable, Hashable, CustomStringConvertible {
    package let first: IPAddress
    /// Bits that all addresses of the range share.
    package let prefixLength: Int

    /// Why a text is no range: a sentence for the one who wrote it.
    package struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String
    }

    /// Reads `10.0.0.0/8`, `fd00::/8`, or an address alone, which is a range of one.
    ///
    /// Bits beyond the prefix must be zero: `10.1.2.3/8` may be meant as one address or as sixteen
    /// million.
    package init(_ text: some StringProtocol) throws(Invalid) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let head = parts.first, parts.count <= 2, let address = IPAddress(head) else {
            throw Invalid(description: "it is no address range such as 10.0.0.0/8 or fd00::/8")
        }
        var length = address.bitWidth
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let given = Int(parts[1]), given <= length
            else {
                throw Invalid(
                    description: "behind the slash stands a number from 0 to \(length)")
            }
            length = given
        }
        guard address == Self.network(of: address, length) else {
            throw Invalid(
                description: "the address has bits beyond its prefix; write "
                    + "\(Self.network(of: address, length))/\(length), or \(address) for it alone")
        }
        // What is dialled as IPv4 is compared as IPv4.
        let isMapped = length >= 96 && address.unmapped != address
        first = isMapped ? address.unmapped : address
        prefixLength = isMapped ? length - 96 : length
    }

    package func contains(_ address: IPAddress) -> Bool {
        let address = address.unmapped
        return address.bitWidth == first.bitWidth
            && Self.network(of: address, prefixLength) == first
    }

    package var last: IPAddress {
        switch first {
        case .v4(let bits): .v4(bits | ~Self.mask(prefixLength, of: UInt32.self))
        case .v6(let high, let low):
            .v6(
                high: high | ~Self.mask(prefixLength, of: UInt64.self),
                low: low | ~Self.mask(prefixLength - 64, of: UInt64.self))
        }
    }

    package var description: String { "\(first)/\(prefixLength)" }

    private static func network(of address: IPAddress, _ length: Int) -> IPAddress {
        switch address {
        case .v4(let bits): .v4(bits & mask(length, of: UInt32.self))
        case .v6(let high, let low):
            .v6(
                high: high & mask(length, of: UInt64.self),
                low: low & mask(length - 64, of: UInt64.self))
        }
    }

    /// The first `count` bits set, held between none and all.
    private static func mask<Word: FixedWidthInteger>(_ count: Int, of: Word.Type) -> Word {
        count <= 0 ? 0 : ~0 << max(0, Word.bitWidth - count)
    }
}
