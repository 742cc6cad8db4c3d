import Testing
import X509

@testable import Access

struct CertificateIdentityTests {
    @Test func theCommonNameComesFirst() throws {
        let name = try DistinguishedName { CommonName("ada") }
        let certificate = try TestAuthority().issue(name, names: [.dnsName("host")]).certificate
        #expect(CertificateIdentity(certificate)?.name == "ada")
    }

    @Test func elseTheFirstAlternativeName() throws {
        let name = try DistinguishedName { CountryName("CH") }
        for (names, expected) in [
            ([GeneralName.dnsName("agent.example"), .rfc822Name("a@b")], "agent.example"),
            ([.uniformResourceIdentifier("spiffe://example/wsm")], "spiffe://example/wsm"),
            ([], nil),
        ] {
            let certificate = try TestAuthority().issue(name, names: names).certificate
            #expect(CertificateIdentity(certificate)?.name == expected)
        }
    }

    @Test(arguments: ["WSM-Read", " wsm-read "]) func spellingMakesNoAdmin(_ unit: String) throws {
        let name = try DistinguishedName {
            OrganizationalUnitName(unit)
            CommonName("grace")
        }
        let certificate = try TestAuthority().issue(name).certificate
        #expect(CertificateIdentity(certificate)?.role == .read)
    }

    @Test func anyUnitOfSeveralMakesAReader() throws {
        let name = try DistinguishedName {
            OrganizationalUnitName("trading")
            OrganizationalUnitName("wsm-read")
            CommonName("grace")
        }
        let other = try DistinguishedName {
            OrganizationalUnitName("wsm-reader")
            CommonName("grace")
        }
        let authority = try TestAuthority()
        #expect(CertificateIdentity(try authority.issue(name).certificate)?.role == .read)
        #expect(CertificateIdentity(try authority.issue(other).certificate)?.role == .admin)
    }
}
