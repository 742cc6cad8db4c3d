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
        var keptOpen: Resources
    }

    /// State the process holds: released when the server is.
    package struct Resources: Sendable {
        package var store: any StateStore
        package var bus: any Bus
        var lock: DataDirectoryLock?
        var closeStore: @Sendable () throws -> Void

        package init(store: any StateStore, bus: any Bus) {
            self.store = store
            self.bus = bus
            lock = nil
            closeStore = {}
        }

        /// SQLite in the data directory, topics in the process.
        package static func embedded(dataDirectory: String) throws -> Resources {
            let lock = try DataDirectoryLock(directory: dataDirectory)
            let store = try SQLiteStateStore(path: dataDirectory + "/state.sqlite")
            var resources = Resources(store: store, bus: LocalBus())
            resources.lock = lock
            resources.closeStore = { try store.close() }
            return resources
        }
    }

    private init(
        grpcPort: Int, metrics: ServerMetrics, manager: WebSocketManagerService,
        orchestrator: OrchestratorService, parts: Parts, drainTimeout: Duration, logger: Logger
    ) {
        self.grpcPort = grpcPort
        self.manager = manager
        self.orchestrator = orchestrator
        fleet = metrics.fleet
        store = metrics.store
        loop = metrics.loop
        checks = metrics.checks
        self.metrics = metrics
        self.parts = parts
        self.drainTimeout = drainTimeout
        self.logger = logger
    }

    /// Reads the state, begins to reconcile, and answers calls when this returns.
    package static func start(
        _ configuration: ServerConfiguration, resources: Resources, version: String,
        logger: Logger, clock: ManagerClock = .system
    ) async throws -> ManagerServer {
        try configuration.validate()
        let group = MultiThreadedEventLoopGroup.singleton
        let router = ChangeRouter()
        let counters = ManagerMetrics()
        let checks = ServerChecks(wallTime: clock.wallTime)
        let security = try ServerSecurity(
            configuration, logger: logger,
            report: { checks.set($0, ok: $1, reason: $2, message: $3, advisory: $4) })
        let metered = MeteredStateStore(store: resources.store, metrics: counters)
        let store = try await TwoTierStore.open(
            metered, now: clock.wallTime(), logger: logger,
            onChange: { router.recordsChanged($0) },
            onCommit: { ChecksMonitor.storeCommitted($0, checks) })
        let environment = ConnectionEnvironment(
            instanceID: configuration.instanceID, epoch: store.epoch,
            dialer: WebSocketDialer(group: group), bus: resources.bus,
            secrets: SecretResolver(
                directory: configuration.secretsDirectory,
                environmentPrefix: configuration.secretEnvironmentPrefix,
                environment: configuration.environment),
            egress: try configuration.egressPolicy(),
            buffers: SharedBufferBudget(limit: configuration.bufferLimit),
            lifecycle: LifecyclePublisher(
                bus: resources.bus, clock: clock, epoch: store.epoch),
            clock: clock, logger: logger, metrics: counters,
            busHealth: BusHealth(now: clock.now), onChange: { router.connectionChanged($0) })
        let fleet = ConnectionFleet(
            environment: environment, group: group, stored: { store.record($0)?.observed })
        let operations = ConnectionOperations(
            store: store, fleet: fleet, feed: router.feed, clock: clock,
            reconciled: { await router.reconciled($0) }, isEnding: { router.isEnding },
            defaults: configuration.apiDefaults, metrics: counters)
        let statuses = StatusWriter(store: store, logger: logger) { name in
            operations.view(name).map { StoredStatus(status: $0.status, epoch: store.epoch) }
        }
        let loop = ReconcileLoop(
            desired: store, control: fleet, timer: EventLoopTimer(eventLoop: group.any()),
            configuration: configuration.reconciler, logger: logger, now: clock.now)
        router.connect(loop: loop, statuses: statuses)
        let identity = ServerIdentity(
            version: version, instanceID: configuration.instanceID, startedAt: clock.wallTime())
        let monitor = ChecksMonitor(
            checks: checks, store: metered, bus: environment.busHealth, loop: loop,
            resyncInterval: configuration.reconciler.resyncInterval,
            eventLoops: Array(group.makeIterator()), now: clock.now)
        let manifests = makeManifests(
            configuration, store: store, lifecycle: environment.lifecycle, checks: checks,
            clock: clock, logger: logger)
        let metrics = ServerMetrics(
            manifests: { manifests?.report ?? ManifestsReport() }, counters: counters,
            fleet: fleet, store: store, loop: loop,
            lifecycle: environment.lifecycle, bufferLimit: configuration.bufferLimit,
            checks: checks, version: version, startedAt: identity.startedAt)
        let manager = WebSocketManagerService(
            operations: operations, instanceID: identity.instanceID)
        let orchestrator = OrchestratorService(
            operations: operations, bus: resources.bus, server: identity, checks: checks)
        let services: [any RegistrableRPCService] =
            [manager, orchestrator]
            + DiscoveryServices.make(checks: checks, isEnding: operations.isEnding)
        let grpc = makeGRPCServer(configuration, services: services, security: security)
        let serving = Task { try await grpc.serve() }
        let port: Int
        let http: GatewayWiring
        do {
            port = try await listeningPort(of: grpc, serving: serving, configuration)
            http = try await GatewayWiring.start(
                configuration, services: services, security: security,
                ports: GatewayWiring.Ports(
                    metrics: { metrics.render() },
                    readiness: { ReadinessReport(checks.report) }),
                logger: logger)
        } catch {
            serving.cancel()
            throw error
        }
        let parts = Parts(
            grpc: grpc, serving: serving, http: http, looping: Task { await loop.run() },
            writing: Task { await statuses.run() }, monitoring: Task { await monitor.run() },
            securing: Task { await security.run() }, security: security,
            statuses: statuses, bus: resources.bus, router: router, manifests: manifests,
            watching: manifests.map { manifests in Task { await manifests.run() } },
            keptOpen: resources)
        await monitor.look()
        checks.enter(.serving)
        return ManagerServer(
            grpcPort: port, metrics: metrics, manager: manager, orchestrator: orchestrator,
            parts: parts, drainTimeout: configuration.drainTimeout, logger: logger)
    }

    private static func makeManifests(
        _ configuration: ServerConfiguration, store: TwoTierStore, lifecycle: LifecyclePublisher,
        checks: ServerChecks, clock: ManagerClock, logger: Logger
    ) -> ManifestsDirectory? {
        guard let directory = configuration.manifestsDirectory else { return nil }
        return ManifestsDirectory(
            .init(
                directory: directory, set: configuration.manifestsSet,
                instanceID: configuration.instanceID),
            store: store, lifecycle: lifecycle, clock: clock, logger: logger,
            onCheck: {
                // What runs stays as it was, so a broken directory takes no traffic away.
                checks.set(
                    "manifests", ok: $0.isOK, reason: $0.reason, message: $0.message,
                    advisory: true)
            })
    }

    private static func makeGRPCServer(
        _ configuration: ServerConfiguration, services: [any RegistrableRPCService],
        security: ServerSecurity
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
                    security.secure(&$0)
                }),
            services: services, interceptors: security.networkInterceptors + [RequestSizeLimit()])
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
        parts.grpc.beginGracefulShutdown()
        parts.http.beginShutdown()
        loop.pause()
        let lost = await fleet.shutDown(within: drainTimeout)
        (parts.bus as? LocalBus)?.close()
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
        do {
            try parts.keptOpen.closeStore()
        } catch {
            logger.warning("the state database did not close", metadata: ["error": "\(error)"])
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
    }

    func connectionChanged(_ name: String) {
        if let (loop, statuses) = targets.withLock({ $0 }) {
            loop.connectionChanged(name)
            statuses.note(name)
        }
        feed.tell([.connection(name)])
    }
}
