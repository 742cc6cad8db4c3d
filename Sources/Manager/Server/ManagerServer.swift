import Dapr
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Gateway
package import Logging
import ManagerCore
import NIOCore
import NIOPosix
package import Reconciler
import Synchronization
import WebSocket

/// One whole server: state, bus, fleet, loop and API, started and stopped together.
package final class ManagerServer: Sendable {
    package let grpcPort: Int
    package var httpPort: Int { parts.http.gateway.port }
    package let fleet: ConnectionFleet
    package let store: TwoTierStore
    package let loop: ReconcileLoop
    package let checks: ServerChecks
    package let metrics: ServerMetrics
    /// What both ports serve, of this instance alone.
    package let manager: WebSocketManagerService
    package let orchestrator: OrchestratorService
    private let parts: Parts
    private let drainTimeout: Duration
    private let logger: Logger

    /// What has to be stopped again.
    private struct Parts: Sendable {
        var grpc: GRPCServer<HTTP2ServerTransport.Posix>
        var serving: Task<Void, any Error>
        var http: GatewayWiring
        var looping: Task<Void, Never>
        var writing: Task<Void, Never>
        var monitoring: Task<Void, Never>
        var securing: Task<Void, Never>
        var security: ServerSecurity
        var statuses: StatusWriter
        var bus: any Bus
        var router: ChangeRouter
        var manifests: ManifestsDirectory?
        var watching: Task<Void, Never>?
        var membership: Membership?
        var shards: FleetShards?
        var keptOpen: Resources
    }

    private init(
        grpcPort: Int, made: ServerAssembly, parts: Parts, drainTimeout: Duration, logger: Logger
    ) {
        self.grpcPort = grpcPort
        manager = made.manager
        orchestrator = made.orchestrator
        fleet = made.fleet
        store = made.store
        loop = made.loop
        checks = made.checks
        metrics = made.metrics
        self.parts = parts
        self.drainTimeout = drainTimeout
        self.logger = logger
    }

    /// Reads the state, begins to reconcile, and answers calls when this returns. A member of a
    /// cluster goes on to join; the check `cluster` tells how far it is.
    package static func start(
        _ configuration: ServerConfiguration, resources: Resources, version: String,
        logger: Logger, clock: ManagerClock = .system
    ) async throws -> ManagerServer {
        try configuration.validate()
        let made = try await ServerAssembly(
            configuration, resources: resources, version: version, logger: logger, clock: clock)
        let services = made.services
        let grpc = makeGRPCServer(configuration, services: services, made)
        let serving = Task { try await grpc.serve() }
        let port: Int
        let http: GatewayWiring
        do {
            port = try await listeningPort(of: grpc, serving: serving, configuration)
            http = try await GatewayWiring.start(
                configuration, services: services, security: made.security,
                ports: GatewayWiring.Ports(
                    metrics: { made.metrics.render() },
                    readiness: { ReadinessReport(made.checks.report) }),
                logger: logger)
        } catch {
            serving.cancel()
            throw error
        }
        let (loop, statuses, monitor) = (made.loop, made.statuses, made.monitor)
        let (security, manifests) = (made.security, made.manifests)
        let parts = Parts(
            grpc: grpc, serving: serving, http: http, looping: Task { await loop.run() },
            writing: Task { await statuses.run() }, monitoring: Task { await monitor.run() },
            securing: Task { await security.run() }, security: security,
            statuses: statuses, bus: resources.bus, router: made.router, manifests: manifests,
            watching: manifests.map { manifests in Task { await manifests.run() } },
            membership: made.membership, shards: made.shards, keptOpen: resources)
        made.join(grpcPort: port)
        await monitor.look()
        made.checks.enter(.serving)
        return ManagerServer(
            grpcPort: port, made: made, parts: parts, drainTimeout: configuration.drainTimeout,
            logger: logger)
    }

    private static func makeGRPCServer(
        _ configuration: ServerConfiguration, services: [any RegistrableRPCService],
        _ made: ServerAssembly
    ) -> GRPCServer<HTTP2ServerTransport.Posix> {
        let host = configuration.bind == "localhost" ? "127.0.0.1" : configuration.bind
        let address: GRPCNIOTransportCore.SocketAddress =
            host.contains(":")
            ? .ipv6(host: host, port: configuration.grpcPort)
            : .ipv4(host: host, port: configuration.grpcPort)
        return GRPCServer(
            transport: .http2NIOPosix(
                address: address, transportSecurity: .plaintext,
                config: .defaults {
                    $0.rpc.maxRequestPayloadSize = RequestSizeLimit.transportBytes
                    $0.connection.keepalive.clientBehavior = .init(
                        minPingIntervalWithoutCalls: PeerLimits.leastPingInterval,
                        allowWithoutCalls: true)
                    // It would hold each message of a stream back for 0.1 ms.
                    $0.connection.flushCoalescing = nil
                    made.security.secure(&$0)
                    made.callerLoops.watch(&$0)
                    $0.endWindowUpdatesInPipeline()
                }),
            services: services,
            interceptors: made.security.networkInterceptors + [RequestSizeLimit()])
    }

    private static func listeningPort(
        of grpc: GRPCServer<HTTP2ServerTransport.Posix>, serving: Task<Void, any Error>,
        _ configuration: ServerConfiguration
    ) async throws -> Int {
        do {
            let address = try await grpc.transport.listeningAddress
            return address.ipv4?.port ?? address.ipv6?.port ?? configuration.grpcPort
        } catch {
            // The transport only says that it closed; the reason is with the server.
            if case .failure(let cause) = await serving.result {
                throw ServerConfiguration.Invalid(
                    description: "cannot listen on \(configuration.bind):"
                        + "\(configuration.grpcPort): \(cause) (choose another --grpc-port)")
            }
            throw error
        }
    }

    /// How it stands with `--manifests`; `nil` without it.
    package var manifests: ManifestsReport? { parts.manifests?.report }

    /// Reads again what was read from files: tokens, certificates, the manifest directory (SIGHUP).
    package func reload() async {
        logger.info("reloading")
        parts.manifests?.reload()
        await parts.security.reload()
    }

    /// The event loops and the reconcile loop turn: what a watchdog asks.
    package var isTurning: Bool {
        checks.report.checks.allSatisfy {
            $0.ok || ($0.name != "event-loops" && $0.name != "reconciler")
        }
    }

    /// Calls that wait for changes at this moment.
    package var watchers: Int { parts.router.feed.listenerCount }

    /// Whether this instance is a member of a cluster and has its place there.
    package var isMember: Bool { parts.membership?.node.view.isMember ?? false }

    /// The cluster as this instance sees it; `nil` for a server that is alone.
    package var cluster: ClusterView? { parts.membership?.node.view }

    /// Returns when this instance's part in the cluster is over: it has left, as somebody asked it
    /// to, and should be stopped in order.
    ///
    /// - Throws: ``StateStoreError`` if the store was emptied, or belongs to another cluster now.
    package func membershipEnded() async throws {
        guard let membership = parts.membership else { return }
        for await cause in membership.ended where cause == .storeLost {
            throw StateStoreError(
                message: "the state store was emptied, or belongs to another cluster now: start "
                    + "again to begin with what it holds")
        }
    }

    /// Returns when the API has ended by itself, which is a fault.
    package func serverEnded() async throws {
        let (serving, gateway) = (parts.serving, parts.http.gateway)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await serving.value }
            group.addTask { try await gateway.ended() }
            defer { group.cancelAll() }
            _ = try await group.next()
        }
    }

    /// The orderly end: no new calls, nothing more dialled, buffers published, sockets closed with
    /// 1001, statuses saved.
    ///
    /// - Returns: how many messages could not be published within the drain timeout.
    @discardableResult
    package func stop() async -> Int {
        logger.info("stopping", metadata: ["drain_timeout": "\(drainTimeout)"])
        parts.router.end()
        checks.enter(.stopping)
        parts.monitoring.cancel()
        // Not awaited: files on a disk that hangs must not hold up the end.
        parts.watching?.cancel()
        parts.securing.cancel()
        // While all still runs: the heirs call this instance, and it publishes what it has read.
        await parts.membership?.leave()
        parts.grpc.beginGracefulShutdown()
        parts.http.beginShutdown()
        loop.pause()
        // Of hand-overs to this instance that were under way.
        async let shadowsEnded: Void? = parts.shards?.endShadows(within: drainTimeout)
        let lost = await fleet.shutDown(within: drainTimeout)
        _ = await shadowsEnded
        parts.bus.close()
        parts.router.feed.close()
        checks.close()
        parts.looping.cancel()
        parts.writing.cancel()
        await parts.looping.value
        await parts.writing.value
        await parts.statuses.flush()
        async let httpEnded: Void = parts.http.finish(within: Self.lastAnswers)
        await endCalls()
        await httpEnded
        await parts.membership?.close()
        do {
            try await parts.keptOpen.closeStore()
        } catch {
            logger.warning("the state store did not close", metadata: ["error": "\(error)"])
        }
        if lost > 0 {
            logger.error(
                "messages were still buffered at the end",
                metadata: ["messages": "\(lost)", "reason": "shutdown"])
        }
        return lost
    }
}

extension ManagerServer {
    /// For the last answers to reach their callers, after everything they waited for has ended.
    private static let lastAnswers: Duration = .seconds(1)

    private func endCalls() async {
        let serving = parts.serving
        let impatient = Task {
            try await Task.sleep(for: Self.lastAnswers)
            serving.cancel()
        }
        _ = await serving.result
        impatient.cancel()
    }
}

/// Tells of changes: records to the loop, connections to the loop and the status writer, both to
/// those who watch.
final class ChangeRouter: Sendable {
    let feed = ChangeFeed()
    let heap = Heap()
    private let targets = Mutex<(loop: ReconcileLoop, statuses: StatusWriter)?>(nil)

    private let ending = Mutex(false)

    /// The orderly end of the process has begun.
    var isEnding: Bool { ending.withLock { $0 } }

    func end() { ending.withLock { $0 = true } }

    func connect(loop: ReconcileLoop, statuses: StatusWriter) {
        targets.withLock { $0 = (loop, statuses) }
    }

    func reconciled(_ name: String) async {
        await targets.withLock { $0 }?.loop.reconciled(name)
    }

    func recordsChanged(_ keys: [ObjectKey]) {
        let names = keys.compactMap { key in
            if case .connection(let name) = key { name } else { nil }
        }
        targets.withLock { $0 }?.loop.connectionsChanged(names)
        feed.tell(keys)
        heap.changed(keys.count)
    }

    func connectionsChanged(_ names: [String]) {
        if let (loop, statuses) = targets.withLock({ $0 }) {
            loop.connectionsChanged(names)
            statuses.note(names)
        }
        feed.tell(names.lazy.map(ObjectKey.connection))
        heap.changed(names.count)
    }
}
