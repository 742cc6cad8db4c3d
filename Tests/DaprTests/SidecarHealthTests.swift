import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@testable import Dapr

struct SidecarHealthTests {
    /// Answers each request with the next of the statuses; the last one stays.
    private final class StatusServer: Sendable {
        let statuses: Mutex<[HTTPResponseStatus]>
        let asked = Mutex<[HTTPRequestHead]>([])

        init(_ statuses: HTTPResponseStatus...) {
            self.statuses = Mutex(statuses)
        }

        func answer(_ head: HTTPRequestHead) -> HTTPResponseStatus {
            asked.withLock { $0.append(head) }
            return statuses.withLock { statuses in
                statuses.count > 1 ? statuses.removeFirst() : statuses[0]
            }
        }

        func serving(_ body: (Int) async throws -> Void) async throws {
            let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.configureHTTPServerPipeline()
                        try pipeline.addHandler(Answering(server: self))
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let port = try #require(channel.localAddress?.port)
            try await body(port)
            try await channel.close()
        }
    }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        let server: StatusServer

        init(server: StatusServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            let answer = HTTPResponseHead(version: .http1_1, status: server.answer(head))
            context.write(wrapOutboundOut(.head(answer)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }

    private func health(port: Int, token: String? = nil) -> SidecarHealth {
        SidecarHealth(
            DaprEnvironment(
                grpc: .loopback(port: 1), http: .loopback(port: port), apiToken: token))
    }

    @Test func aReadySidecarIsAskedOnce() async throws {
        let server = StatusServer(.noContent)
        try await server.serving { port in
            try await health(port: port, token: "t").waitUntilReady(for: .seconds(5))
        }
        let asked = server.asked.withLock { $0 }
        #expect(asked.map(\.uri) == ["/v1.0/healthz/outbound"])
        #expect(asked.first?.headers["dapr-api-token"] == ["t"])
    }

    @Test func aSidecarThatStartsIsWaitedFor() async throws {
        let server = StatusServer(.internalServerError, .noContent)
        try await server.serving { port in
            try await health(port: port).waitUntilReady(for: .seconds(20))
        }
        #expect(server.asked.withLock { $0.count } == 2)
    }

    @Test func whatIsNotReadyInTimeIsSaid() async throws {
        let server = StatusServer(.internalServerError)
        try await server.serving { port in
            let error = await #expect(throws: DaprError.self) {
                try await health(port: port).waitUntilReady(for: .milliseconds(1))
            }
            #expect(error?.kind == .unreachable)
            #expect(
                error?.message == "the Dapr sidecar at 127.0.0.1:\(port) is not ready: "
                    + "/v1.0/healthz/outbound answers 500")
        }
    }

    @Test func noSidecarIsSaid() async throws {
        let error = await #expect(throws: DaprError.self) {
            try await health(port: 1).check()
        }
        #expect(error?.kind == .unreachable)
        #expect(error?.message.hasPrefix("the Dapr sidecar at 127.0.0.1:1 (HTTP)") == true)
    }
}
