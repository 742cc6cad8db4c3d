import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOPosix
import NIOSSL
import TestKit
import Testing

@testable import Dapr

struct CallClientTests {
    private static func client(
        _ endpoint: DaprEndpoint, trusting pem: String? = nil
    ) throws -> CallClient {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let pem {
            let root = try NIOSSLCertificate(bytes: Array(pem.utf8), format: .pem)
            configuration.trustRoots = .certificates([root])
        }
        return CallClient(
            RequestHead.Fixed(
                authority: endpoint.authority, usesTLS: endpoint.usesTLS, apiToken: "t0k"),
            dialer: try CallDialer(endpoint, configuration: configuration),
            on: MultiThreadedEventLoopGroup.singleton.next())
    }

    private static func publish(
        by client: CallClient, within timeout: Duration = .seconds(5)
    ) async throws -> Int {
        let request = PublishRequest.event(
            [1], contentType: "x/y", topic: "t", pubsub: "p", metadata: [:])
        return try await client.call(.publish, request, within: timeout).readableBytes
    }

    @Test func theSidecarMayBeBehindTLS() async throws {
        let certificates = try TestCertificates.make()
        let other = try TestCertificates.make()
        let sidecar = FakeSidecar()
        let security = HTTP2ServerTransport.Posix.TransportSecurity.tls(
            certificateChain: [.bytes(Array(certificates.serverPEM.utf8), format: .pem)],
            privateKey: .bytes(Array(certificates.serverKeyPEM.utf8), format: .pem))
        try await sidecar.serving(security: security) { port in
            let endpoint = DaprEndpoint(place: .host("localhost", port: port), usesTLS: true)
            let client = try Self.client(endpoint, trusting: certificates.caPEM)
            #expect(try await Self.publish(by: client) == 0)
            await client.close()
            let stranger = try Self.client(endpoint, trusting: other.caPEM)
            let error = await #expect(throws: RPCError.self) {
                _ = try await Self.publish(by: stranger)
            }
            #expect(error?.code == .unavailable)
            await stranger.close()
        }
        #expect(sidecar.tokens == ["t0k"])
    }

    @Test func theSidecarMayBeASocketFile() async throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("d-\(UInt32.random(in: 0...UInt32.max))").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let server = try await Self.serve(at: path)
        let client = try Self.client(DaprEndpoint(place: .socket(path: path), usesTLS: false))
        #expect(try await Self.publish(by: client) == 0)
        await client.close()
        try await server.close()
    }

    /// A server that answers each call, and says GOAWAY with each fifth.
    private static func serve(at path: String) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answering())
                }
            }
            .bind(unixDomainSocketPath: path).get()
    }

    @Test func noCallIsLostToAServerThatGoesAwayAllTheTime() async throws {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("d-\(UInt32.random(in: 0...UInt32.max))").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let server = try await Self.serve(at: path)
        let client = try Self.client(DaprEndpoint(place: .socket(path: path), usesTLS: false))
        for _ in 0..<50 { #expect(try await Self.publish(by: client) == 0) }
        await client.close()
        try await server.close()
    }

    @Test func whatWaitsForAConnectionIsBounded() async throws {
        // It accepts and says nothing.
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(server.localAddress?.port)
        let client = try Self.client(.loopback(port: port))
        let ends = await withTaskGroup(of: String.self) { group in
            for _ in 0..<DaprLimits.waitingCalls + 10 {
                group.addTask {
                    do {
                        _ = try await Self.publish(by: client, within: .seconds(2))
                        return "answered"
                    } catch {
                        return (error as? RPCError).map { "\($0.code)" } ?? "\(error)"
                    }
                }
            }
            return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        #expect(ends == ["unavailable": 10, "deadlineExceeded": DaprLimits.waitingCalls])
        await client.close()
        try await server.close()
    }
}

/// Answers calls by hand.
private final class Answering: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var reader = FrameReader()
    private var peer = PeerEnd()
    private var hasPreface = false
    private var calls = 0

    func channelActive(context: ChannelHandlerContext) {
        peer.settings()
        context.writeAndFlush(wrapOutboundOut(peer.take()), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if !hasPreface {
            bytes.moveReaderIndex(forwardBy: 24)
            hasPreface = true
        }
        reader.append(bytes)
        do {
            while let frame = try reader.next() {
                guard frame.kind == .data, frame.flags.contains(.endStream) else { continue }
                calls += 1
                if calls == 5 { peer.goAway(last: frame.stream) }
                try peer.answer(frame.stream)
            }
        } catch {
            context.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(peer.take()), promise: nil)
    }
}
