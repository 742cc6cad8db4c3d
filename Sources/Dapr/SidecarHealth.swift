internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Asks a sidecar over HTTP whether its components can be used.
///
/// `healthz/outbound` and not `healthz`: that one also waits for the program beside the sidecar, so
/// each would wait for the other. One GET on a connection of its own; an HTTP client that keeps
/// connections would be a dependency for one request at the start.
package struct SidecarHealth: Sendable {
    package static let path = "/v1.0/healthz/outbound"
    /// Between two questions of ``waitUntilReady(for:)``.
    static let interval: Duration = .milliseconds(250)
    /// Of one question.
    static let timeout: TimeAmount = .seconds(2)

    private let endpoint: DaprEndpoint
    private let apiToken: String?

    package init(_ environment: DaprEnvironment) {
        endpoint = environment.http
        apiToken = environment.apiToken
    }

    /// Asks until the sidecar is ready.
    ///
    /// - Throws: ``DaprError`` with the last reason once `limit` has passed; `CancellationError`.
    package func waitUntilReady(for limit: Duration) async throws {
        let end = ContinuousClock.now.advanced(by: limit)
        while true {
            do {
                return try await check()
            } catch let error as DaprError {
                guard ContinuousClock.now.advanced(by: Self.interval) < end else { throw error }
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// Asks once.
    ///
    /// - Throws: ``DaprError`` if the sidecar is not there or not ready.
    package func check() async throws {
        let status: HTTPResponseStatus
        do {
            status = try await ask()
        } catch {
            throw DaprError(
                .unreachable, "the Dapr sidecar at \(endpoint) (HTTP) cannot be reached: \(error)")
        }
        guard (200..<300).contains(status.code) else {
            throw DaprError(
                .unreachable,
                "the Dapr sidecar at \(endpoint) is not ready: \(Self.path) answers \(status.code)")
        }
    }

    private func ask() async throws -> HTTPResponseStatus {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let answer = loop.makePromise(of: HTTPResponseStatus.self)
        let timer = loop.scheduleTask(in: Self.timeout) {
            answer.fail(ChannelError.connectTimeout(Self.timeout))
        }
        defer { timer.cancel() }
        do {
            let channel = try await connect(on: loop, answer)
            defer { channel.close(promise: nil) }
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            try await channel.writeAndFlush(HTTPClientRequestPart.end(nil)).get()
            return try await answer.futureResult.get()
        } catch {
            answer.fail(error)
            throw error
        }
    }

    private func connect(
        on loop: any EventLoop, _ answer: EventLoopPromise<HTTPResponseStatus>
    ) async throws -> any Channel {
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(Self.timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if endpoint.usesTLS {
                        let context = try NIOSSLContext(configuration: .makeClientConfiguration())
                        try pipeline.addHandler(
                            NIOSSLClientHandler(
                                context: context, serverHostname: endpoint.serverName))
                    }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(StatusReader(answer: answer))
                }
            }
        switch endpoint.place {
        case .host(let host, let port):
            return try await bootstrap.connect(host: host, port: port).get()
        case .socket(let path):
            return try await bootstrap.connect(unixDomainSocketPath: path).get()
        }
    }

    private var head: HTTPRequestHead {
        var headers = HTTPHeaders([("host", endpoint.authority), ("connection", "close")])
        if let apiToken { headers.add(name: "dapr-api-token", value: apiToken) }
        return HTTPRequestHead(version: .http1_1, method: .GET, uri: Self.path, headers: headers)
    }
}

/// Takes the status of the one answer.
private final class StatusReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<HTTPResponseStatus>

    init(answer: EventLoopPromise<HTTPResponseStatus>) {
        self.answer = answer
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data) { answer.succeed(head.status) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
