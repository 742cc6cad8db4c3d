import NIOSSL

/// Whether a certificate that the TLS library accepts is for the name that was asked for.
///
/// NIOSSL takes a certificate for the address connected to as good as one for the name. Whoever
/// can forge an answer of DNS and has a certificate for an address of his own would pass, so a
/// dial to a name insists on the name.
enum ServerIdentity {
    /// Checks a certificate that NIOSSL has accepted for the name or for the address.
    static func isValid(_ certificate: NIOSSLCertificate, for name: String) -> Bool {
        let names = certificate._subjectAlternativeNames()
        // Without addresses in the certificate it was the name that matched.
        guard names.contains(where: { $0.nameType == .ipAddress }) else { return true }
        return names.contains {
            $0.nameType == .dnsName
                && Self.matches(String(decoding: $0.contents, as: UTF8.self), name)
        }
    }

    /// Whether a name in a certificate stands for a host's name: equal without regard to case, or
    /// with `*` as its whole first label (RFC 6125, 6.4).
    static func matches(_ pattern: String, _ name: String) -> Bool {
        let pattern = Self.labels(pattern)
        let name = Self.labels(name)
        guard pattern.count == name.count, let first = pattern.first else { return false }
        guard first == "*" else { return pattern == name }
        return pattern.count > 2 && pattern.dropFirst() == name.dropFirst()
    }

    private static func labels(_ name: String) -> [Substring] {
        let name = name.lowercased()
        return (name.hasSuffix(".") ? name.dropLast() : name[...])
            .split(separator: ".", omittingEmptySubsequences: false)
    }
}
