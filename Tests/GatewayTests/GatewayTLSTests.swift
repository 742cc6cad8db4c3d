import GRPCCore
import NIOCore
import NIOSSL
import Synchronization
import TestKit
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(2)))
struct GatewayTLSTests {
    private static func certificate(_ pem: String) throws -> NIOSSLCertificate {
        try NIOSSLCertificate(bytes: Array(pem.utf8), format: .pem)
    }

    private static func context(
        _ certificates: TestCertificates, client: Bool, withOwn: Bool = true
    ) throws -> NIOSSLContext {
        let pem = client ? certificates.clientPEM : certificates.serverPEM
        let keyPEM = client ? certificates.clientKeyPEM : certificates.serverKeyPEM
        let chain: [NIOSSLCertificateSource] = [.certificate(try certificate(pem))]
        let key = NIOSSLPrivateKeySource.privateKey(
            try NIOSSLPrivateKey(bytes: Array(keyPEM.utf8), format: .pem))
        var configuration =
            client
            ? TLSConfiguration.makeClientConfiguration()
            : TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
        if client, withOwn {
            configuration.certificateChain = chain
            configuration.privateKey = key
        }
        configuration.trustRoots = .certificates([try certificate(certificates.caPEM)])
        if !client { configuration.certificateVerification = .optionalVerification }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func secure(_ channel: any Channel, with context: NIOSSLContext) throws {
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
    }

    private static let request = Array(
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)

    @Test func theCallersCertificateIsHandedOn() async throws {
        let certificates = try TestCertificates.make()
        let server = try Self.context(certificates, client: false)
        let seen = Mutex<[[UInt8]?]>([])
        let live = try await LiveGateway.start(
            authorize: { facts in
                seen.withLock { $0.append(facts.peerCertificate) }
                return .admitted(Metadata())
            }, configure: { $0.secure = { try Self.secure($0, with: server) } })
        for withOwn in [true, false] {
            let client = try Self.context(certificates, client: true, withOwn: withOwn)
            let answer = try await live.exchange(Self.request, tls: client)
            #expect(answer.status == 200)
        }
        await live.stop()
        let own = try Self.certificate(certificates.clientPEM).toDERBytes()
        #expect(seen.withLock { $0 } == [own, nil])
    }

    @Test func aNewCertificateCountsFromTheNextConnectionOn() async throws {
        let old = try TestCertificates.make()
        let new = try TestCertificates.make()
        let (oldServer, newServer) = (
            try Self.context(old, client: false), try Self.context(new, client: false)
        )
        let isRenewed = Mutex(false)
        let live = try await LiveGateway.start(configure: {
            $0.secure = { channel in
                try Self.secure(channel, with: isRenewed.withLock { $0 } ? newServer : oldServer)
            }
        })
        let (trustsOld, trustsNew) = (
            try Self.context(old, client: true, withOwn: false),
            try Self.context(new, client: true, withOwn: false)
        )
        #expect(try await live.exchange(Self.request, tls: trustsOld).status == 200)
        isRenewed.withLock { $0 = true }
        #expect(try await live.exchange(Self.request, tls: trustsNew).status == 200)
        await #expect(throws: (any Error).self) {
            try await live.exchange(Self.request, tls: trustsOld)
        }
        await live.stop()
    }
}
