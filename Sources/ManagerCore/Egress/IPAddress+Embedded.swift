extension IPAddress {
    /// The IPv4 addresses that a translator or tunnel on the way may take out of this IPv6 address.
    ///
    /// Where a format leaves open which bits they are, every reading is given: a guard has to like
    /// them all. Prefixes that a network has chosen for itself (RFC 6052, section 2.2) cannot be
    /// known here.
    package var embedded: [IPAddress] {
        guard case .v6(let high, let low) = self else { return [] }
        var found: [UInt32] = []
        switch high {
        case 0x0064_ff9b_0000_0000 where low >> 32 == 0:
            // NAT64, the well-known prefix 64:ff9b::/96 (RFC 6052).
            found.append(UInt32(truncatingIfNeeded: low))
        case _ where high >> 16 == 0x0064_ff9b_0001:
            found += Self.localNAT64(high, low)
        case _ where high >> 48 == 0x2002:
            // 6to4 (RFC 3056).
            found.append(UInt32(truncatingIfNeeded: high >> 16))
        case _ where high >> 32 == 0x2001_0000:
            // Teredo (RFC 4380): the server, and the client with its bits turned over.
            found.append(UInt32(truncatingIfNeeded: high))
            found.append(~UInt32(truncatingIfNeeded: low))
        case 0 where low >> 32 == 0 && low > 1:
            // IPv4-compatible (RFC 4291, section 2.5.5.1, no longer used).
            found.append(UInt32(truncatingIfNeeded: low))
        case 0 where low >> 32 == 0xffff || low >> 32 == 0xffff_0000:
            // Mapped, and translated (RFC 2765).
            found.append(UInt32(truncatingIfNeeded: low))
        default:
            break
        }
        // ISATAP (RFC 5214) knows an address by its second half.
        if low >> 32 | 0x0200_0000 == 0x0200_5efe {
            found.append(UInt32(truncatingIfNeeded: low))
        }
        return found.map { .v4($0) }
    }

    /// 64:ff9b:1::/48 is for local use (RFC 8215): prefixes of 48, 56, 64 and 96 bits may be cut from
    /// it, and the address stands behind the prefix, around an octet of zeros (RFC 6052).
    private static func localNAT64(_ high: UInt64, _ low: UInt64) -> [UInt32] {
        let behind48 = (high & 0xffff) << 16 | low >> 40 & 0xffff
        let behind56 = (high & 0xff) << 24 | low >> 32 & 0xff_ffff
        let behind64 = low >> 24 & 0xffff_ffff
        return [behind48, behind56, behind64, low].map { UInt32(truncatingIfNeeded: $0) }
    }
}
