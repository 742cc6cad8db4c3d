/// What an address is for, as far as it matters to who may dial it.
package enum AddressClass: String, Sendable, Hashable, CaseIterable {
    case `public`
    case loopback
    /// RFC 1918, RFC 4193, RFC 3879, and the addresses behind a carrier's NAT (RFC 6598).
    case `private`
    /// RFC 3927, RFC 4291.
    case linkLocal
    /// Where a cloud hands credentials to whoever asks from the inside.
    case metadata
    /// `::` and 0.0.0.0/8: the host itself, to many systems.
    case unspecified
    case multicast
    case broadcast
    /// Documentation, benchmarks, and what IANA has not given to anybody.
    case reserved

    /// As it stands in a sentence: "a … address".
    package var word: String {
        switch self {
        case .linkLocal: "link-local"
        case .metadata: "cloud metadata"
        default: rawValue
        }
    }

    /// No flag makes these dialled.
    package var isAlwaysRefused: Bool {
        switch self {
        case .linkLocal, .metadata, .unspecified, .multicast, .broadcast: true
        case .public, .loopback, .private, .reserved: false
        }
    }
}

extension AddressClass {
    /// The first range that holds an address gives its class.
    static let table: [(ranges: [String], addressClass: AddressClass)] = [
        (
            [
                // Amazon, Google, Azure and most others; Amazon's ECS and EKS; Alibaba; Azure's host;
                // Oracle.
                "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200",
                "168.63.129.16", "192.0.0.192",
                // Amazon, Google, Oracle, Scaleway.
                "fd00:ec2::/32", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42",
            ], .metadata
        ),
        (["127.0.0.0/8", "::1"], .loopback),
        (["0.0.0.0/8", "::"], .unspecified),
        (["169.254.0.0/16", "fe80::/10"], .linkLocal),
        (["255.255.255.255"], .broadcast),
        (["224.0.0.0/4", "ff00::/8"], .multicast),
        (
            [
                "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7",
                "fec0::/10",
                // Translators of the own network (RFC 8215).
                "64:ff9b:1::/48",
            ], .private
        ),
        (
            [
                "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
                "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "2001:db8::/32", "3fff::/20",
            ], .reserved
        ),
        // Translators to the public IPv4 network: the address inside is looked at as well.
        (["64:ff9b::/96", "::ffff:0:0:0/96"], .public),
    ]

    private static let ranges: [(range: IPRange, addressClass: AddressClass)] = table.flatMap {
        row in
        row.ranges.compactMap { text in (try? IPRange(text)).map { ($0, row.addressClass) } }
    }

    /// The class of an address itself; see ``IPAddress/embedded`` for what may stand inside.
    package init(_ address: IPAddress) {
        let address = address.unmapped
        if let entry = Self.ranges.first(where: { $0.range.contains(address) }) {
            self = entry.addressClass
            return
        }
        switch address {
        case .v4: self = .public
        // Of IPv6, 2000::/3 alone is given out (RFC 4291, section 2.4).
        case .v6(let high, _): self = high >> 61 == 1 ? .public : .reserved
        }
    }
}
