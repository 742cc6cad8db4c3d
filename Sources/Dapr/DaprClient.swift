internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A client of one Dapr sidecar, over gRPC.
///
///     let client = try DaprClient(DaprConfiguration(environment: environment))
///     try await client.save([item], in: "statestore")
///     await client.close()
///
/// Any task may call it. Messages are published over one HTTP/2 connection by ``CallClient``; the
/// other calls, which are few, share another one by the gRPC library. A connection that ends
/// (restart of the sidecar, GOAWAY after three idle minutes) is made again by itself: calls fail with
/// ``DaprError/Kind/unreachable`` meanwhile and are not repeated here, since only the caller knows
/// what a repeated write means. Every call has a deadline.
package final class DaprClient: Sendable {
    typealias Transport = HTTP2ClientTransport.Posix

    package let configuration: DaprConfiguration
    let dapr: Dapr_Proto_Runtime_V1_Dapr.Client<Transport>
    /// Sidecars before 1.17 know bulk publishing under its older name.
    let knowsStableBulk = Atomic(true)
    let calls: CallClient
    private let client: GRPCClient<Transport>
    private let loopExecutor: EventLoopExecutor
    private let connections: Task<Void, Never>

    /// Begins to connect.
    ///
    /// - Throws: ``DaprError`` if TLS cannot be set up.
    package init(_ configuration: DaprConfiguration) throws(DaprError) {
        self.configuration = configuration
        let transport: Transport
        let dialer: CallDialer
        do {
            transport = try Self.transport(to: configuration.environment.grpc)
            dialer = try CallDialer(configuration.environment.grpc)
        } catch {
            throw DaprError(.configuration, "the client of the Dapr sidecar: \(error)")
        }
        let client = GRPCClient(
            transport: transport,
            interceptors: configuration.environment.apiToken.map { [DaprToken(token: $0)] } ?? [])
        self.client = client
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        loopExecutor = EventLoopExecutor(eventLoop)
        calls = CallClient(
            RequestHead.Fixed(
                authority: configuration.environment.grpc.authority,
                usesTLS: configuration.environment.grpc.usesTLS,
                apiToken: configuration.environment.apiToken),
            dialer: dialer, on: eventLoop)
        dapr = Dapr_Proto_Runtime_V1_Dapr.Client(wrapping: client)
        connections = Task {
            // Ends with `close`, or with a cancelled task; there is nobody else to tell.
            try? await client.runConnections()
        }
    }

    deinit {
        connections.cancel()
    }

    /// Lets calls under way end, then disconnects.
    package func close() async {
        client.beginGracefulShutdown()
        await calls.close()
        await connections.value
    }

    private static func transport(to endpoint: DaprEndpoint) throws -> Transport {
        let target: any ResolvableTarget =
            switch endpoint.place {
            case .host(let host, let port) where host.contains(":"):
                .ipv6(address: host, port: port)
            case .host(let host, let port): .dns(host: host, port: port)
            case .socket(let path): .unixDomainSocket(path: path)
            }
        return try Transport(
            target: target,
            transportSecurity: endpoint.usesTLS ? .tls(.defaults) : .plaintext,
            config: .defaults { config in
                config.backoff = .init(
                    initial: DaprLimits.firstReconnect, max: DaprLimits.longestReconnect,
                    multiplier: DaprLimits.reconnectGrowth, jitter: 0.2)
                config.connection.maxIdleTime = DaprLimits.idleTime
                config.connection.keepalive = .init(
                    time: DaprLimits.pingAfter, timeout: DaprLimits.pingTimeout,
                    allowWithoutCalls: false)
            })
    }

    /// Runs `body` on the event loop where the answers of publish calls come in, so that a row of
    /// calls that wait for each other costs no change of threads for each. Nothing slow belongs
    /// there.
    package func besideItsCalls<Result: Sendable>(
        _ body: () async -> Result
    ) async -> Result {
        await withTaskExecutorPreference(loopExecutor) { await body() }
    }

    /// Makes one call under its deadline; whatever goes wrong is a ``DaprError``.
    func call<Answer: Sendable>(
        _ name: String, within timeout: Duration,
        _ body: (CallOptions) async throws -> Answer
    ) async throws -> Answer {
        var options = CallOptions.defaults
        options.timeout = timeout
        options.waitForReady = false
        options.maxResponseMessageBytes = DaprLimits.largestAnswer
        do {
            return try await body(options)
        } catch {
            throw DaprError(error, calling: name, at: configuration.environment.grpc)
        }
    }
}

/// What a client is made with.
package struct DaprConfiguration: Sendable {
    package var environment: DaprEnvironment
    /// Bytes of one request that the sidecar takes: its `--max-body-size`, which it tells nobody.
    package var maxRequestBytes: Int

    package init(
        environment: DaprEnvironment, maxRequestBytes: Int = DaprLimits.defaultRequestBytes
    ) {
        self.environment = environment
        self.maxRequestBytes = maxRequestBytes
    }
}

/// Bounds of the talk with a sidecar.
package enum DaprLimits {
    /// The sidecar's default for a message, both ways, in bytes.
    package static let defaultRequestBytes = 4 << 20
    /// What a request needs beside the values in it: names, keys, tags and the fields around them.
    package static let requestOverhead = 64 << 10
    /// The same of one entry of a bulk call, in bytes.
    package static let bulkEntryOverhead = 512
    /// The sidecar's own limit decides; this one only bounds what a wrong peer can make us hold.
    static let largestAnswer = 64 << 20
    /// A restarted sidecar is found again soon, one that stays away is not hammered.
    static let firstReconnect: Duration = .milliseconds(100)
    static let longestReconnect: Duration = .seconds(2)
    static let reconnectGrowth = 1.6
    /// Of each wait, so that many instances do not come back at one moment.
    static let reconnectJitter = 0.8...1.2
    /// Until a sidecar has accepted a connection and begun to speak HTTP/2.
    static let connectTimeout: Duration = .seconds(5)
    /// Publish calls that wait for a connection or a place on it. A bus has fewer under way; more
    /// than that would only wait for their deadline.
    static let waitingCalls = 1_024
    /// The sidecar says GOAWAY after three idle minutes; we leave first, so that no call meets it.
    static let idleTime: Duration = .seconds(150)
    /// Only where calls get no answer and nothing else comes: a ping is sent only to a peer that is
    /// silent, and never more often than a sidecar allows (8 s).
    static let pingAfter: Duration = .seconds(10)
    static let pingTimeout: Duration = .seconds(5)
}

/// Sends the API token along with every call.
private struct DaprToken: ClientInterceptor {
    let token: String

    @concurrent
    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingClientRequest<Input>, context: ClientContext,
        next:
            @concurrent (
                _ request: StreamingClientRequest<Input>, _ context: ClientContext
            ) async throws -> StreamingClientResponse<Output>
    ) async throws -> StreamingClientResponse<Output> {
        var request = request
        request.metadata.replaceOrAddString(token, forKey: "dapr-api-token")
        return try await next(request, context)
    }
}
