import GRPCCore
import Logging
import ManagerCore
import NIOCore
import NIOPosix
import Reconciler
import Synchronization
import WebSocket

/// The parts of one server, made in the order they need each other; nothing runs yet.
struct ServerAssembly: Sendable {
    let security: ServerSecurity
    let checks: ServerChecks
    let router = ChangeRouter()
    let store: TwoTierStore
    /// Of a member of a cluster.
    let membership: Membership?
    let shards: FleetShards?
    let fleet: ConnectionFleet
    let leftovers: SpillLeftovers
    let loop: ReconcileLoop
    let statuses: StatusWriter
    let monitor: ChecksMonitor
    let manifests: ManifestsDirectory?
    let metrics: ServerMetrics
    let manager: WebSocketManagerService
    let orchestrator: OrchestratorService
    let callerLoops: CallerLoops

    init(
        _ configuration: ServerConfiguration, resources: ManagerServer.Resources, version: String,
        logger: Logger, clock: ManagerClock
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let eventLoops = Array(group.makeIterator())
        callerLoops = CallerLoops(eventLoops)
        let counters = ManagerMetrics()
        let checks = ServerChecks(wallTime: clock.wallTime)
        self.checks = checks
        let security = try ServerSecurity(
            configuration, logger: logger,
            report: { checks.set($0, ok: $1, reason: $2, message: $3, advisory: $4) })
        self.security = security
        let metered = MeteredStateStore(store: resources.store, metrics: counters)
        let state = try await Self.openState(
            metered, isClustered: resources.instance != nil, router, checks, clock, logger)
        let store = state.store
        self.store = store
        let membership = resources.instance.flatMap { instance in
            state.clustered.map { clustered in
                Membership(
                    configuration, instance: instance, state: clustered, store: metered,
                    security: security, eventLoops: eventLoops, checks: checks,
                    metrics: counters, clock: clock, logger: logger)
            }
        }
        self.membership = membership
        let environment = try Self.environment(
            configuration, resources: resources, group: group, epoch: store.epoch,
            counters: counters, router: router, clock: clock, logger: logger)
        let fleet = ConnectionFleet(
            environment: environment, group: group,
            gate: membership == nil ? .sole(epoch: store.epoch) : nil,
            stored: { store.record($0)?.observed })
        self.fleet = fleet
        leftovers = Self.leftovers(
            configuration, fleet: fleet, store: store, isMember: membership != nil, logger: logger)
        shards = membership.map {
            Self.shards(of: $0.node, configuration, fleet: fleet, records: store, group: group)
        }
        loop = ReconcileLoop(
            desired: shards ?? store as any DesiredState,
            control: shards ?? fleet as any ConnectionControl,
            timer: EventLoopTimer(eventLoop: group.any()),
            configuration: configuration.reconciler, logger: logger, now: clock.now)
        let operations = Self.operations(
            configuration, store: store, fleet: fleet, router: router, counters: counters,
            clock: clock)
        statuses = Self.statuses(
            operations, store: store, isMember: membership != nil, heap: router.heap,
            logger: logger)
        router.connect(loop: loop, statuses: statuses)
        monitor = ChecksMonitor(
            checks: checks, store: metered,
            member: resources.instance == nil ? nil : configuration.instanceID,
            bus: environment.busHealth, loop: loop,
            resyncInterval: configuration.reconciler.resyncInterval, eventLoops: eventLoops,
            now: clock.now)
        manifests = Self.manifests(
            configuration, store: store, lifecycle: environment.lifecycle, checks: checks,
            clock: clock, logger: logger)
        let identity = ServerIdentity(
            version: version, instanceID: configuration.instanceID, startedAt: clock.wallTime())
        metrics = ServerMetrics(
            manifests: { [manifests] in manifests?.report ?? ManifestsReport() },
            membership: membership, environment: environment, fleet: fleet, store: store,
            loop: loop, bufferLimit: configuration.bufferLimit, checks: checks, server: identity)
        manager = WebSocketManagerService(
            operations: operations, instanceID: identity.instanceID)
        orchestrator = OrchestratorService(
            operations: operations, bus: resources.bus, server: identity, checks: checks)
    }

    /// Begins to join the cluster, if there is one, once peers can reach the port.
    func join(grpcPort: Int) {
        guard let membership, let shards else { return }
        let (loop, store, leftovers, feed) = (loop, store, leftovers, router.feed)
        Task { await leftovers.survey() }
        let members = Mutex(1)
        membership.start(
            connections: shards, grpcPort: grpcPort,
            onView: { view in
                let count = max(1, view.members.count { $0.state == .alive })
                let before = members.withLock { members in
                    defer { members = count }
                    return members
                }
                if count != before { loop.setMembers(count) }
                leftovers.judge { SpillLeftovers.fate(of: $0, store, view) }
            },
            onFence: {
                // What is shown of them is sure no more, or is sure again.
                feed.tell(store.desiredNames().map(ObjectKey.connection))
            })
    }

    /// What both ports serve.
    var services: [any RegistrableRPCService] {
        let own: [any RegistrableRPCService] =
            membership?.services(manager, orchestrator)
            ?? [
                manager, orchestrator,
                TopicSubscriptions(orchestrator: orchestrator, loops: callerLoops),
            ]
        return own
            + DiscoveryServices.make(checks: checks, isEnding: orchestrator.operations.isEnding)
    }
}

// MARK: Parts

extension ServerAssembly {
    private static func openState(
        _ store: any StateStore, isClustered: Bool, _ router: ChangeRouter,
        _ checks: ServerChecks, _ clock: ManagerClock, _ logger: Logger
    ) async throws -> (store: TwoTierStore, clustered: TwoTierStore.Clustered?) {
        let onChange: @Sendable ([ObjectKey]) -> Void = { router.recordsChanged($0) }
        let onCommit: @Sendable (TwoTierStore.NotCommitted?) -> Void = {
            ChecksMonitor.storeCommitted($0, checks)
        }
        guard isClustered else {
            let store = try await TwoTierStore.open(
                store, now: clock.wallTime(), logger: logger, onChange: onChange,
                onCommit: onCommit)
            return (store, nil)
        }
        let seconds = clock.wallTime().nanosecondsSinceEpoch / 1_000_000_000
        let clustered = TwoTierStore.clustered(
            store, epoch: UInt64(max(1, seconds)), logger: logger, onChange: onChange,
            onCommit: onCommit)
        return (clustered.store, clustered)
    }

    private static func environment(
        _ configuration: ServerConfiguration, resources: ManagerServer.Resources,
        group: MultiThreadedEventLoopGroup, epoch: UInt64, counters: ManagerMetrics,
        router: ChangeRouter, clock: ManagerClock,
        logger: Logger
    ) throws -> ConnectionEnvironment {
        let publishLimit = configuration.cluster.timing(drain: configuration.drainTimeout).publish
        return ConnectionEnvironment(
            instanceID: configuration.instanceID,
            dialer: WebSocketDialer(group: group), bus: resources.bus,
            secrets: SecretResolver(
                directory: configuration.secretsDirectory,
                environmentPrefix: configuration.secretEnvironmentPrefix,
                environment: configuration.environment),
            daprSecrets: resources.secrets, egress: try configuration.egressPolicy(),
            buffers: SharedBufferBudget(limit: configuration.bufferLimit),
            spill: SpillDirectory(path: configuration.spillDirectory),
            lifecycle: LifecyclePublisher(
                bus: resources.bus, home: .sole(epoch: epoch), publishLimit: publishLimit),
            clock: clock, logger: logger, metrics: counters,
            busHealth: BusHealth(now: clock.now),
            rests: LoopRests(
                Array(group.makeIterator()), interval: configuration.readCoalescing,
                metrics: counters, now: clock.now),
            publishLimit: publishLimit,
            onChange: { router.connectionsChanged($0) })
    }

    private static func shards(
        of node: ClusterNode, _ configuration: ServerConfiguration, fleet: ConnectionFleet,
        records: TwoTierStore, group: MultiThreadedEventLoopGroup
    ) -> FleetShards {
        fleet.environment.reports.connect(node)
        return FleetShards(
            fleet: fleet, records: records, lease: node.lease, group: group,
            timing: configuration.cluster.timing(drain: configuration.drainTimeout))
    }

    private static func operations(
        _ configuration: ServerConfiguration, store: TwoTierStore, fleet: ConnectionFleet,
        router: ChangeRouter, counters: ManagerMetrics, clock: ManagerClock
    ) -> ConnectionOperations {
        ConnectionOperations(
            store: store, fleet: fleet, feed: router.feed, clock: clock,
            reconciled: { await router.reconciled($0) }, isEnding: { router.isEnding },
            defaults: configuration.apiDefaults, metrics: counters)
    }

    private static func leftovers(
        _ configuration: ServerConfiguration, fleet: ConnectionFleet, store: TwoTierStore,
        isMember: Bool, logger: Logger
    ) -> SpillLeftovers {
        let leftovers = SpillLeftovers(
            directory: SpillDirectory(path: configuration.spillDirectory), logger: logger,
            count: { fleet.countDropped($0, messages: $1) })
        let declared = Set(store.desiredNames().compactMap { store.desired($0)?.uid })
        // A store that declares nothing was more likely moved away than emptied one by one.
        if !isMember, !declared.isEmpty { leftovers.clear(butOf: declared) }
        return leftovers
    }

    private static func statuses(
        _ operations: ConnectionOperations, store: TwoTierStore, isMember: Bool, heap: Heap,
        logger: Logger
    ) -> StatusWriter {
        StatusWriter(
            store: store, logger: logger, limit: isMember ? StatusWriter.perRoundInCluster : .max,
            onWrite: { heap.changed($0) }
        ) { name in
            guard let view = operations.view(name), let epoch = store.epoch(of: name) else {
                return nil
            }
            return StoredStatus(status: view.status, epoch: epoch)
        }
    }

    private static func manifests(
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
}
