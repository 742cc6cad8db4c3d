import GRPCCore
import GRPCNIOTransportHTTP2Posix
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
    package let fleet: ConnectionFleet
    package let store: TwoTierStore
    package let loop: ReconcileLoop
    package let checks: ServerChecks
    package let metrics: ServerMetrics
    private let parts: Parts
    private let drainTimeout: Duration
    private let logger: Logger

    /// What has to be stopped again.
    private struct Parts: Sendable {
        var grpc: GRPCServer<HTTP2ServerTransport.Posix>
        var serving: Task<Void, any Error>
        var looping: Task<Void, Never>
        var writing: Task<Void, Never>
        var monitoring: Task<Void, Never>
        var statuses: StatusWriter
        var bus: any Bus
        var router: ChangeRouter
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
        grpcPort: Int, metrics: ServerMetrics, parts: Parts, drainTimeout: Duration,
        logger: Logger
    ) {
        self.grpcPort = grpcPort
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
        let metrics = ServerMetrics(
            counters: counters, fleet: fleet, store: store, loop: loop,
            lifecycle: environment.lifecycle, bufferLimit: configuration.bufferLimit,
            checks: checks, version: version, startedAt: identity.startedAt)
        let grpc = makeGRPCServer(
            configuration, operations: operations, bus: resources.bus, identity: identity,
            checks: checks)
        let serving = Task { try await grpc.serve() }
        let port: Int
        do {
            port = try await listeningPort(of: grpc, serving: serving, configuration)
        } catch {
            serving.cancel()
            throw error
        }
        let parts = Parts(
            grpc: grpc, serving: serving, looping: Task { await loop.run() },
            writing: Task { await statuses.run() }, monitoring: Task { await monitor.run() },
            statuses: statuses, bus: resources.bus, router: router, keptOpen: resources)
        await monitor.look()
        checks.enter(.serving)
        return ManagerServer(
            grpcPort: port, metrics: metrics, parts: parts,
            drainTimeout: configuration.drainTimeout, logger: logger)
    }

    private static func makeGRPCServer(
        _ configuration: ServerConfiguration, operations: ConnectionOperations, bus: any Bus,
        identity: ServerIdentity, checks: ServerChecks
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
                }),
            services: [
                WebSocketManagerService(
                    operations: operations, instanceID: identity.instanceID),
                OrchestratorService(
                    operations: operations, bus: bus, server: identity, checks: checks),
            ] + DiscoveryServices.make(checks: checks, isEnding: operations.isEnding),
            interceptors: [RequestSizeLimit()])
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

    /// Calls that wait for changes at this moment.
    package var watchers: Int { parts.router.feed.listenerCount }

    /// Returns when the API has ended by itself, which is a fault.
    package func serverEnded() async throws {
        try await parts.serving.value
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
        parts.grpc.beginGracefulShutdown()
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
        await endCalls()
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
