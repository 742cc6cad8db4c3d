import Access
package import GRPCCore
import GRPCInProcessTransport
package import Gateway
package import Logging

/// The HTTP port and the in-process server behind it: the same services as on the gRPC port.
package struct GatewayWiring: Sendable {
    package let gateway: Gateway
    private let server: GRPCServer<InProcessTransport.Server>
    private let client: GRPCClient<InProcessTransport.Client>
    private let tasks: [Task<Void, any Error>]

    /// What the HTTP port asks of others.
    package struct Ports: Sendable {
        package var metrics: @Sendable () -> String
        package var readiness: @Sendable () async -> ReadinessReport

        package init(
            metrics: @Sendable @escaping () -> String,
            readiness: @Sendable @escaping () async -> ReadinessReport
        ) {
            self.metrics = metrics
            self.readiness = readiness
        }
    }

    /// - Throws: ``ServerConfiguration/Invalid`` if it cannot listen.
    package static func start(
        _ configuration: ServerConfiguration, services: [any RegistrableRPCService],
        security: ServerSecurity, ports: Ports, logger: Logger
    ) async throws -> GatewayWiring {
        let transport = InProcessTransport()
        let calls = GatewayCalls()
        let server = GRPCServer(
            transport: transport.server, services: services,
            interceptors: [calls.interceptor] + security.gatewayInterceptors
                + [RequestSizeLimit()])
        let client = GRPCClient(transport: transport.client)
        let tasks = [
            Task { try await server.serve() }, Task { try await client.runConnections() },
        ]
        var settings = GatewayConfiguration(
            host: configuration.bind, port: configuration.httpPort)
        settings.allowedOrigins = configuration.allowedOrigins
        settings.hasAuthentication =
            configuration.tokenFile != nil || configuration.clientCAPath != nil
        if security.files.usesTLS {
            let files = security.files
            settings.secure = { try files.secure($0, for: .http) }
        }
        do {
            let gateway = try await Gateway.start(
                settings,
                ports: GatewayPorts(
                    client: client, calls: calls, authorize: { security.control.admit($0) },
                    metrics: ports.metrics, readiness: ports.readiness),
                logger: logger)
            return GatewayWiring(gateway: gateway, server: server, client: client, tasks: tasks)
        } catch {
            for task in tasks { task.cancel() }
            throw ServerConfiguration.Invalid(description: "\(error)")
        }
    }

    /// The first half of the end: no new calls; those under way go on.
    func beginShutdown() {
        gateway.beginShutdown()
        server.beginGracefulShutdown()
    }

    /// The second half, after everything that calls waited for has ended.
    ///
    /// - Parameter limit: For the last answers to reach their callers.
    func finish(within limit: Duration) async {
        await gateway.finish(within: limit)
        client.beginGracefulShutdown()
        for task in tasks {
            task.cancel()
            _ = await task.result
        }
    }
}

extension AccessControl {
    /// The decision about a call or a page of the HTTP port.
    func admit(_ facts: GatewayRequestFacts) -> GatewayAdmission {
        // A probe is answered to everybody; a stream keeps one of the port's connections, so over
        // HTTP it is for callers that may read.
        let isHealthStream = facts.method == "grpc.health.v1.Health/Watch"
        let request = AccessRequest(
            method: isHealthStream ? GatewayPage.readinessVerbose : facts.method,
            authorization: facts.authorization,
            certificate: facts.peerCertificate, address: facts.address)
        switch admit(request) {
        case .admitted(let caller):
            var metadata = Metadata()
            for (key, value) in caller.metadata { metadata.addString(value, forKey: key) }
            return .admitted(metadata)
        case .unauthenticated(let sentence): return .unauthenticated(sentence)
        case .permissionDenied(let sentence): return .permissionDenied(sentence)
        }
    }
}

extension ReadinessReport {
    /// What the server's checks say, as the HTTP port tells it.
    init(_ report: ServerChecks.Report) {
        self.init(
            isReady: report.ready,
            checks: report.checks.map {
                Check(
                    name: $0.name, isOK: $0.ok, reason: $0.reason, message: $0.message,
                    isAdvisory: $0.advisory)
            })
    }
}
