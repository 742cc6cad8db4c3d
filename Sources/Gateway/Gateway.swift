import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix

/// The HTTP port: JSON by the routes of the contract, gRPC-Web, Connect, probes and pages.
package final class Gateway: Sendable {
    /// The bound port.
    package let port: Int
    private let service: GatewayService
    private let running: Task<Void, any Error>
    private let shutDown: @Sendable () async throws -> Void

    private init(
        port: Int, service: GatewayService, running: Task<Void, any Error>,
        shutDown: @Sendable @escaping () async throws -> Void
    ) {
        self.port = port
        self.service = service
        self.running = running
        self.shutDown = shutDown
    }

    /// Answers requests when this returns.
    ///
    /// - Throws: ``GatewayConfiguration/Invalid`` if it cannot listen, naming address and flag.
    package static func start(
        _ configuration: GatewayConfiguration, ports: GatewayPorts, logger: Logger
    ) async throws -> Gateway {
        try configuration.validate()
        let service = try GatewayService(
            ports: ports,
            policy: HostPolicy(
                bind: configuration.host, hasAuthentication: configuration.hasAuthentication,
                allowedOrigins: configuration.allowedOrigins))
        let responder = GatewayResponder(service: service, isTLS: configuration.secure != nil)
        let http = HTTP1Channel(
            responder: { request, writer, channel in
                try await responder.respond(to: request, writer, on: channel)
            }, configuration: httpConfiguration)
        let connections = AcceptedConnections(base: http, secure: configuration.secure)
        return try await start(connections, configuration, service, logger)
    }

    private static var httpConfiguration: HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            additionalChannelHandlers: [CallerPresence()], idleTimeout: HTTPLimits.idleTimeout,
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: HTTPLimits.maxHeaderFieldBytes,
                maxHeaderListSize: HTTPLimits.maxHeaderListBytes,
                maxHeaderFieldCount: HTTPLimits.maxHeaderFields))
    }

    private static func start(
        _ connections: some ServerChildChannel, _ configuration: GatewayConfiguration,
        _ service: GatewayService, _ logger: Logger
    ) async throws -> Gateway {
        // It logs each start with an address that the program's own line has.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let host = configuration.host == "localhost" ? "127.0.0.1" : configuration.host
        let (bound, announce) = AsyncThrowingStream.makeStream(of: Int.self)
        let server = Server(
            childChannelSetup: connections,
            configuration: ServerConfiguration(
                address: .hostname(host, port: configuration.port), backlog: HTTPLimits.backlog,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    HTTPLimits.maxConnections, logger: quiet)),
            onServerRunning: { channel in
                announce.yield(channel.localAddress?.port ?? configuration.port)
                announce.finish()
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        let running = Task {
            do {
                try await server.run()
            } catch {
                announce.finish(throwing: error)
                throw error
            }
        }
        do {
            for try await port in bound {
                return Gateway(
                    port: port, service: service, running: running,
                    shutDown: { try await server.shutdownGracefully() })
            }
            throw CancellationError()
        } catch {
            running.cancel()
            throw GatewayConfiguration.Invalid(
                description: "cannot listen on \(configuration.host):\(configuration.port): "
                    + "\(error) (choose another --http-port)")
        }
    }

    /// Calls under way at this moment.
    package var calls: Int { service.ports.calls.count }

    /// Returns when the port has stopped by itself, which is a fault.
    package func ended() async throws {
        try await running.value
    }

    /// The first half of the end: nothing new is accepted. What is under way goes on.
    package func beginShutdown() {
        service.streams.refuse()
        let shutDown = shutDown
        Task { try await shutDown() }
    }

    /// The second half: streams that still run end with a last word, then connections are closed.
    ///
    /// - Parameter limit: For the last answers to reach their callers.
    package func finish(within limit: Duration) async {
        service.streams.refuse()
        service.streams.endAll()
        let running = running
        let impatient = Task {
            try await Task.sleep(for: limit)
            running.cancel()
        }
        _ = await running.result
        impatient.cancel()
    }
}
