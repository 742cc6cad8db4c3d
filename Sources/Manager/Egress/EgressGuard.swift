package import ManagerCore
package import NIOCore

/// The egress policy as one dial asks it: with the address a socket is about to be connected to.
package struct EgressGuard: Sendable {
    package var policy: EgressPolicy
    package var origin: EgressPolicy.Origin

    package init(policy: EgressPolicy, origin: EgressPolicy.Origin) {
        self.policy = policy
        self.origin = origin
    }

    /// Why the address may not be dialled: a sentence for the operator. What cannot be read as an IP
    /// address is refused.
    package func refusal(of address: SocketAddress) -> String? {
        guard let ip = IPAddress(address) else {
            return
                "the address is no IP address: such are never dialled, not even with --allow-cidr"
        }
        switch policy.verdict(ip, origin: origin) {
        case .allowed: return nil
        case .refused(let sentence): return sentence
        }
    }
}

extension IPAddress {
    /// The bits of a socket's address, as the system takes them; `nil` for a path.
    package init?(_ address: SocketAddress) {
        // Where they begin in sockaddr_in and sockaddr_in6 (POSIX, netinet/in.h): behind family and
        // port, and of IPv6 the flow information.
        let range: Range<Int>
        switch address {
        case .v4: range = 4..<8
        case .v6: range = 8..<24
        case .unixDomainSocket: return nil
        }
        let bits = address.withSockAddr { pointer, size in
            let bytes = UnsafeRawBufferPointer(start: pointer, count: size)
            return range.upperBound <= size ? Array(bytes[range]) : []
        }
        self.init(networkBytes: bits)
    }
}
