import Feed
import Manager
import ManagerCore
import TestKit
import Testing

/// `tls` of a manifest on live sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LiveTLSTests {
    private func run(
        asksForCertificate: Bool = false, onlyTLS12: Bool = false,
        _ body: (Live, TestCertificates) async throws -> Void
    ) async throws {
        let certificates = try TestCertificates.make()
        let tls = FeedTLS(
            certificatePEM: Array(certificates.serverPEM.utf8),
            keyPEM: Array(certificates.serverKeyPEM.utf8),
            clientCAPEM: asksForCertificate ? Array(certificates.caPEM.utf8) : nil,
            onlyTLS12: onlyTLS12)
        try await Live.run(tls: tls) { live in
            try live.secrets.write(certificates.caPEM, to: "ca.pem")
            try live.secrets.write(certificates.otherCAPEM, to: "other.pem")
            try live.secrets.write(certificates.clientPEM, to: "client.pem")
            try live.secrets.write(certificates.clientKeyPEM, to: "client.key")
            try await body(live, certificates)
        }
    }

    private func declare(_ live: Live, host: String = "localhost", _ tls: String) async throws {
        try await live.server.apply(
            manifest(
                "a",
                """
                url: \(live.feed.url("/mute", scheme: "wss", host: host))
                reconnect: {base: 10ms, cap: 50ms}
                tls: {\(tls)}
                """))
    }

    private let ca = "ca: {valueFrom: {file: ca.pem}}"

    private func failure(_ live: Live) async -> LinkFailure? {
        _ = await eventually { live.server.observed("a")?.lastFailure != nil }
        return live.server.observed("a")?.lastFailure
    }

    @Test func aServerOfADeclaredRootIsTrustedAndOfAnotherIsNot() async throws {
        try await run { live, _ in
            try await declare(live, "ca: {valueFrom: {file: other.pem}}")
            let failure = await failure(live)
            #expect(failure?.code == "tlsVerification")
            #expect(failure?.failureClass == .configuration)
            #expect(live.opened("/mute") == 0)
            try await declare(live, ca)
            #expect(await live.server.ready("a"))
        }
    }

    @Test func theSystemsRootsDoNotTrustIt() async throws {
        try await run { live, _ in
            try await declare(live, "minVersion: '1.2'")
            #expect(await failure(live)?.code == "tlsVerification")
            try await declare(live, "insecureSkipVerify: true")
            #expect(await live.server.ready("a"))
        }
    }

    @Test func theServerNameIsWhatIsVerified() async throws {
        try await run { live, _ in
            try await declare(live, ca + ", serverName: nobody.test")
            #expect(await failure(live)?.code == "tlsVerification")
            try await declare(live, ca + ", serverName: feed.test")
            #expect(await live.server.ready("a"))
            try await declare(live, host: "127.0.0.1", ca)
            #expect(await live.server.ready("a"), "an address is in the certificate too")
        }
    }

    @Test func aServerBelowTheLeastVersionIsRefused() async throws {
        try await run(onlyTLS12: true) { live, _ in
            try await declare(live, ca + ", minVersion: '1.3'")
            #expect(await failure(live) != nil)
            #expect(live.opened("/mute") == 0)
            try await declare(live, ca + ", minVersion: '1.2'")
            #expect(await live.server.ready("a"))
        }
    }

    @Test func theClientsCertificateIsShown() async throws {
        try await run(asksForCertificate: true) { live, _ in
            try await declare(live, ca)
            #expect(await failure(live) != nil)
            #expect(live.opened("/mute") == 0)
            try await declare(
                live,
                ca + ", cert: {valueFrom: {file: client.pem}}, "
                    + "key: {valueFrom: {file: client.key}}")
            #expect(await live.server.ready("a"))
        }
    }
}
