package import X509

/// Who a verified client certificate belongs to.
///
/// The name is the subject's common name, else the first DNS name, e-mail address or URI of the
/// subject alternative names. A certificate of the client authorities is `admin`, unless one of its
/// organizational units is ``readUnit``: an authority that is named with `--client-ca` is there for
/// this server, and not every authority can write organizational units. Case and blanks at its ends
/// make no difference, and a unit in an encoding that cannot be read counts as the mark.
package struct CertificateIdentity: Sendable, Hashable {
    /// The organizational unit that makes a certificate a reader's.
    package static let readUnit = "wsm-read"

    package var name: String
    package var role: Role

    /// - Returns: `nil` where the certificate names nobody.
    package init?(_ certificate: Certificate) {
        let attributes = certificate.subject.flatMap { Array($0) }
        let names = attributes.filter { $0.type == .RDNAttributeType.commonName }
        guard let name = names.first.flatMap({ Self.text($0) }) ?? Self.alternativeName(certificate)
        else { return nil }
        self.name = String(name.prefix(Caller.longestName))
        let units = attributes.filter { $0.type == .RDNAttributeType.organizationalUnitName }
        role = units.allSatisfy { !Self.marksReader($0) } ? .admin : .read
    }

    /// A unit whose text cannot be read may be the mark, so it counts as one.
    private static func marksReader(_ unit: RelativeDistinguishedName.Attribute) -> Bool {
        guard let text = String(unit.value) else { return true }
        return text.split(separator: " ").joined(separator: " ").lowercased() == Self.readUnit
    }

    private static func text(_ attribute: RelativeDistinguishedName.Attribute) -> String? {
        String(attribute.value).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func alternativeName(_ certificate: Certificate) -> String? {
        guard let names = try? certificate.extensions.subjectAlternativeNames else { return nil }
        for name in names {
            switch name {
            case .dnsName(let text), .rfc822Name(let text), .uniformResourceIdentifier(let text):
                if !text.isEmpty { return text }
            default: continue
            }
        }
        return nil
    }
}
