import Feed
import NIOCore
import Testing

@testable import WebSocket

/// wss with certificates of our own.
@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    static let certificates = Certificates.shared

    static func secure(_ request: inout WebSocketRequest, _ tls: TLSOptions) {
        request.isSecure = true
        request.tls = tls
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func aCertificateOfOurAuthorityIsAccepted(_ host: String) async throws {
        try await Loopback.with(tls: Self.certificates.server()) { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder) {
                $0.host = host
                Self.secure(&$0, TLSOptions(caPEM: Self.certificates.ca, minVersion: .v13))
            }
            let payload = [UInt8](repeating: 0x61, count: 300_000)
            try await connection.sendAndWait(.text, payload)
            let seen = try await recorder.until { $0.messages.count == 1 }
            #expect(seen.messages[0].payload == payload)
            connection.close(code: 1000, reason: "")
            #expect(try await recorder.closed().wasClean)
        }
    }

    @Test func framesInTheReadOfTheAnswerComeOnce() async throws {
        try await Loopback.with(tls: Self.certificates.server()) { loopback in
            let recorder = Recorder()
            _ = try await loopback.open("/first?count=300", recorder) {
                Self.secure(&$0, TLSOptions(caPEM: Self.certificates.ca))
            }
            let seen = try await recorder.until { $0.messages.count >= 300 }
            #expect(seen.texts == (1...300).map { "first \($0)" })
        }
    }

    @Test func anUnknownAuthorityIsRefused() async throws {
        try await Loopback.with(tls: Self.certificates.server()) { loopback in
            for ca in [nil, Self.certificates.otherCA] {
                let error = try await loopback.failure("/mute") {
                    Self.secure(&$0, TLSOptions(caPEM: ca))
                }
                #expect(error.phase == .tls)
                #expect(error.code == .tlsVerification)
                #expect(error.message.contains("CERTIFICATE_VERIFY_FAILED"))
            }
        }
    }

    @Test func theNameMustMatch() async throws {
        try await Loopback.with(tls: Self.certificates.server()) { loopback in
            let error = try await loopback.failure("/mute") {
                Self.secure(
                    &$0, TLSOptions(caPEM: Self.certificates.ca, serverName: "other.test"))
            }
            #expect(error.phase == .tls)
            #expect(error.code == .tlsVerification)
            #expect(error.message.hasSuffix("the certificate is not for this name"))
            let recorder = Recorder()
            _ = try await loopback.open("/mute", recorder) {
                Self.secure(&$0, TLSOptions(caPEM: Self.certificates.ca, serverName: "feed.test"))
            }
        }
    }

    @Test func verificationCanBeSkipped() async throws {
        try await Loopback.with(tls: Self.certificates.server()) { loopback in
            let recorder = Recorder()
            _ = try await loopback.open("/mute", recorder) {
                Self.secure(&$0, TLSOptions(serverName: "other.test", insecureSkipVerify: true))
            }
        }
    }

    @Test func anOldVersionIsRefused() async throws {
        try await Loopback.with(tls: Self.certificates.server(onlyTLS12: true)) { loopback in
            let error = try await loopback.failure("/mute") {
                Self.secure(&$0, TLSOptions(caPEM: Self.certificates.ca, minVersion: .v13))
            }
            #expect(error.phase == .tls)
            let recorder = Recorder()
            _ = try await loopback.open("/mute", recorder) {
                Self.secure(&$0, TLSOptions(caPEM: Self.certificates.ca, minVersion: .v12))
            }
        }
    }

    @Test(arguments: [false, true])
    func aServerMayAskForOurCertificate(_ onlyTLS12: Bool) async throws {
        let tls = try Self.certificates.server(asksForCertificate: true, onlyTLS12: onlyTLS12)
        try await Loopback.with(tls: tls) { loopback in
            let recorder = Recorder()
            _ = try await loopback.open("/mute", recorder) {
                Self.secure(
                    &$0,
                    TLSOptions(
                        caPEM: Self.certificates.ca, certPEM: Self.certificates.clientPEM,
                        keyPEM: Self.certificates.clientKey))
            }
            loopback.server.dropAll()
            let error = try await loopback.failure("/mute") {
                Self.secure(&$0, TLSOptions(caPEM: Self.certificates.ca))
            }
            #expect(error.phase == .tls)
        }
    }

    @Test(arguments: [
        TLSOptions(caPEM: Array("no certificate".utf8)),
        TLSOptions(caPEM: []),
        TLSOptions(certPEM: Array("x".utf8), keyPEM: Array("y".utf8)),
        TLSOptions(certPEM: certificates.clientPEM, keyPEM: Array("y".utf8)),
    ])
    func unusableMaterialIsToldBeforeAnybodyIsDialled(_ options: TLSOptions) async throws {
        try await Loopback.with(tls: Self.certificates.server()) { loopback in
            for _ in 0..<2 {
                let error = try await loopback.failure("/mute") { Self.secure(&$0, options) }
                #expect(error.phase == .tls)
                #expect(error.code == .invalidRequest)
            }
            #expect(loopback.server.accepted == 0)
        }
    }

    @Test func aServerWithoutTLSIsTold() async throws {
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/mute") { Self.secure(&$0, TLSOptions()) }
            #expect(error.phase == .tls)
        }
    }

    @Test func aTLSHandshakeThatHangsEndsByItsDeadline() async throws {
        let listener = try await DialFailureTests.listener { _ in }
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/mute") {
                Self.secure(&$0, TLSOptions())
                $0.port = listener.localAddress?.port ?? 0
                $0.timeouts.tls = .milliseconds(150)
            }
            #expect(error.phase == .tls)
            #expect(error.code == .timedOut)
        }
        try await listener.close()
    }
}
