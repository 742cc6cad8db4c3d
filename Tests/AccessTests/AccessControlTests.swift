import Testing
import X509

@testable import Access

struct AccessControlTests {
    private static let tokens = "admin deploy admin-token-0123456\nread dash read-token-01234567\n"
    private let log = LogLines()

    private func control(
        tokens: Bool = false, authority: TestAuthority? = nil
    ) throws -> AccessControl {
        let files = FakeFiles()
        files["tokens"] = Self.tokens
        if let authority {
            let server = try authority.issue(try DistinguishedName { CommonName("server") })
            files["cert"] = try server.certificate.pem
            files["key"] = try server.key.pem
            files["ca"] = try authority.certificate.pem
        }
        let opened = try files.open {
            if tokens { $0.tokenFile = "tokens" }
            guard authority != nil else { return }
            $0.certificate = "cert"
            $0.key = "key"
            $0.clientCA = "ca"
        }
        return AccessControl(files: opened, audit: AuditLog(logger: log.logger))
    }

    private func admit(
        _ control: AccessControl, _ method: String, token: String? = nil,
        header: String? = nil, certificate: Certificate? = nil
    ) -> AccessDecision {
        control.admit(
            AccessRequest(
                method: method, authorization: header ?? token.map { "Bearer \($0)" },
                peerCertificate: certificate, address: "192.0.2.1:4711"))
    }

    private static let apply = "wsm.v1.Orchestrator/Apply"
    private static let list = "wsm.v1.Orchestrator/List"

    @Test func withoutTokensAndAuthoritiesEverybodyMayEverything() throws {
        let caller = Caller(
            name: "anonymous", role: .admin, means: .anonymous, address: "192.0.2.1:4711")
        #expect(admit(try control(), Self.apply) == .admitted(caller))
        #expect(admit(try control(), Self.apply, token: "whatever") == .admitted(caller))
    }

    @Test func aTokenGivesItsOwnersRole() throws {
        let control = try control(tokens: true)
        let deploy = Caller(
            name: "deploy", role: .admin, means: .token, address: "192.0.2.1:4711")
        #expect(admit(control, Self.apply, token: "admin-token-0123456") == .admitted(deploy))
        #expect(
            admit(control, Self.apply, header: "bEARER  admin-token-0123456") == .admitted(deploy))
        let dash = Caller(name: "dash", role: .read, means: .token, address: "192.0.2.1:4711")
        #expect(admit(control, Self.list, token: "read-token-01234567") == .admitted(dash))
        #expect(
            admit(control, Self.apply, token: "read-token-01234567")
                == .permissionDenied(
                    "dash has the role read (by its token): wsm.v1.Orchestrator/Apply needs admin"))
    }

    @Test func withoutTheRightTokenNobodyEnters() throws {
        let control = try control(tokens: true)
        #expect(
            admit(control, Self.list)
                == .unauthenticated("no token was sent (authorization: Bearer TOKEN)"))
        #expect(
            admit(control, Self.list, token: "admin-token-0123457")
                == .unauthenticated("the token is not known to this server"))
        for header in ["", "Basic YTpi", "Bearer", "admin-token-0123456", "Bearer a b"] {
            #expect(
                admit(control, Self.list, header: header)
                    == .unauthenticated(
                        "the authorization header is not of the form Bearer TOKEN"))
        }
    }

    @Test func probesNeedNobody() throws {
        let control = try control(tokens: true)
        for method in ["grpc.health.v1.Health/Check", "http/livez", "http/readyz", "http/health"] {
            for token in [nil, "wrong-token-0123456", "admin-token-0123456"] {
                guard case .admitted(let caller) = admit(control, method, token: token) else {
                    Issue.record("\(method) was refused")
                    continue
                }
                #expect(caller.name == "anonymous")
            }
        }
    }

    @Test func whatNobodyKnowsNeedsAnAdmin() throws {
        let control = try control(tokens: true)
        for method in ["wsm.v1.Orchestrator/New", "http/new", "", "grpc.health.v1.Health"] {
            guard case .permissionDenied = admit(control, method, token: "read-token-01234567")
            else {
                Issue.record("\(method) was not refused")
                continue
            }
        }
    }

    @Test func aCertificateGivesTheRoleOfItsUnit() throws {
        let authority = try TestAuthority()
        let control = try control(authority: authority)
        let admin = try authority.issue(try DistinguishedName { CommonName("ada") }).certificate
        let reader = try authority.issue(
            try DistinguishedName {
                OrganizationalUnitName("wsm-read")
                CommonName("grace")
            }
        ).certificate
        let nobody = try authority.issue(try DistinguishedName { CountryName("CH") }).certificate
        #expect(
            admit(control, Self.apply, certificate: admin)
                == .admitted(
                    Caller(
                        name: "ada", role: .admin, means: .certificate,
                        address: "192.0.2.1:4711")))
        #expect(
            admit(control, Self.apply, certificate: reader)
                == .permissionDenied(
                    "grace has the role read (by its certificate): wsm.v1.Orchestrator/Apply "
                        + "needs admin"))
        #expect(admit(control, Self.list) == .unauthenticated("no client certificate was sent"))
        // A header that some proxy adds is no concern of a server without tokens.
        guard case .admitted = admit(control, Self.list, header: "x", certificate: admin) else {
            Issue.record("refused")
            return
        }
        guard case .unauthenticated = admit(control, Self.list, certificate: nobody) else {
            Issue.record("admitted without a name")
            return
        }
    }

    @Test func ofTokenAndCertificateEitherIsEnoughAndASentTokenMustBeRight() throws {
        let authority = try TestAuthority()
        let control = try control(tokens: true, authority: authority)
        let ada = try authority.issue(try DistinguishedName { CommonName("ada") }).certificate
        func name(_ decision: AccessDecision) -> String? {
            if case .admitted(let caller) = decision { caller.name } else { nil }
        }
        #expect(name(admit(control, Self.apply, certificate: ada)) == "ada")
        #expect(name(admit(control, Self.apply, token: "admin-token-0123456")) == "deploy")
        #expect(
            name(admit(control, Self.list, token: "read-token-01234567", certificate: ada))
                == "dash")
        #expect(
            admit(control, Self.list, token: "stale-token-0123456", certificate: ada)
                == .unauthenticated("the token is not known to this server"))
        #expect(
            admit(control, Self.list)
                == .unauthenticated(
                    "neither a token (authorization: Bearer TOKEN) nor a client certificate was "
                        + "sent"))
    }

    @Test func refusalsAreWrittenDownWithoutTheToken() throws {
        let control = try control(tokens: true)
        _ = admit(control, Self.apply, token: "stale-token-0123456")
        _ = admit(control, Self.apply, token: "read-token-01234567")
        _ = admit(control, Self.apply, token: "admin-token-0123456")
        #expect(
            log.lines == [
                "refused audit=true from=192.0.2.1:4711 method=wsm.v1.Orchestrator/Apply "
                    + "outcome=UNAUTHENTICATED reason=the token is not known to this server",
                "refused audit=true from=192.0.2.1:4711 method=wsm.v1.Orchestrator/Apply "
                    + "outcome=PERMISSION_DENIED reason=dash has the role read (by its token): "
                    + "wsm.v1.Orchestrator/Apply needs admin",
            ])
    }
}
