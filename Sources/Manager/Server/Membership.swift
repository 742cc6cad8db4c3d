import Dapr
import GRPCCore
import Logging
import ManagerCore
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a member of a cluster has beside what every server has: the node, and the way to its peers.
struct Membership: Sendable {
    let node: ClusterNode
    let peers: PeerConnections
    /// Why this instance's part in the cluster is over. One value.
    let ended: AsyncStream<ClusterAction.ExitCause>
    private let state: TwoTierStore.Clustered
    private let store: any StateStore
    private let configuration: ServerConfiguration
    private let checks: ServerChecks
    private let metrics: ManagerMetrics
    private let logger: Logger
    private let end: AsyncStream<ClusterAction.ExitCause>.Continuation
    /// Of the node alone, so that no connection holds up a heartbeat: its loop, and one for its calls
    /// of the state store.
    private let group: MultiThreadedEventLoopGroup

    init(
        _ configuration: ServerConfiguration, instance: InstanceDirectory,
        state: TwoTierStore.Clustered, store: any StateStore, security: ServerSecurity,
        eventLoops: [any EventLoop], checks: ServerChecks, metrics: ManagerMetrics,
        clock: ManagerClock, logger: Logger
    ) {
        self.configuration = configuration
        self.state = state
        self.store = store
        self.checks = checks
        self.metrics = metrics
        self.logger = logger
        group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        peers = PeerConnections(
            credentials: PeerCredentials(files: security.files), logger: logger)
        (ended, end) = AsyncStream.makeStream(of: ClusterAction.ExitCause.self)
        let cluster = configuration.cluster
        node = ClusterNode(
            configuration: ClusterConfiguration(
                node: configuration.instanceID, hostID: instance.hostID, address: "",
                weight: cluster.weight, lockedAt: .distantPast,
                timing: cluster.timing(drain: configuration.drainTimeout)),
            store: store, eventLoop: group.next(),
            storeExecutor: EventLoopExecutor(group.next()), eventLoops: eventLoops, clock: clock,
            logger: logger)
        state.join(node)
        Self.look(node.view, checks)
    }

    /// The services for both ports, in the place of those of a server that is alone.
    func services(
        _ manager: WebSocketManagerService, _ orchestrator: OrchestratorService
    ) -> [any RegistrableRPCService] {
        ClusterAPI(
            peers: peers, cluster: node, control: node, stored: StoreIndex(store: store),
            isForwarding: configuration.cluster.forwards
        ).services(manager: manager, orchestrator: orchestrator, receive: { node.receive($0) })
    }

    /// Begins to join, once peers can reach the port.
    ///
    /// - Parameters:
    ///   - onView: a fresh look, up to four times a second.
    ///   - onFence: the lease has run out, or holds again.
    func start(
        connections: any ShardConnections, grpcPort: Int,
        onView: @escaping @Sendable (ClusterView) -> Void,
        onFence: @escaping @Sendable () -> Void
    ) {
        let wasFenced = Mutex(false)
        let address = configuration.cluster.advertise ?? defaultAddress(grpcPort)
        node.start(
            .init(
                connections: connections, memory: state.memory, link: peers.link,
                onCount: { [metrics, logger] in Self.tell($0, metrics, logger) },
                onView: { [checks] view in
                    Self.look(view, checks)
                    onView(view)
                    let isFenced = view.fencedFor != nil
                    if wasFenced.withLock({ was in
                        defer { was = isFenced }
                        return was != isFenced
                    }) {
                        onFence()
                    }
                },
                onEnd: { [end] in
                    end.yield($0)
                    end.finish()
                }),
            address: address)
    }

    private func defaultAddress(_ port: Int) -> String {
        let isEverywhere = ["0.0.0.0", "::"].contains(configuration.bind)
        let host = isEverywhere ? Self.hostName : configuration.bind
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static var hostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "127.0.0.1" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Hands over what this instance owns and gives up its place.
    func leave() async {
        logger.info("leaving the cluster", metadata: ["shards": "\(node.view.served.count)"])
        await node.leave(isRestart: false)
        metrics.clusterEvents.add(.left)
    }

    func close() async {
        await node.stop()
        await peers.close()
        try? await group.shutdownGracefully()
    }

    // MARK: What is told

    private static func tell(
        _ counted: ClusterAction.Counted, _ metrics: ManagerMetrics, _ logger: Logger
    ) {
        guard let event = ClusterEvent(counted) else { return }
        metrics.clusterEvents.add(event)
        if let warning = event.warning {
            logger.warning("\(warning)", metadata: ["event": "\(event.rawValue)"])
        } else {
            logger.info(
                "cluster", metadata: ["event": "\(event.rawValue)", "what": "\(counted.words)"])
        }
    }

    private static func look(_ view: ClusterView, _ checks: ServerChecks) {
        if let fenced = view.fencedFor {
            return checks.set(
                "cluster", ok: false, reason: "Fenced",
                message: "the state store has taken no heartbeat of this instance for longer than "
                    + "its lease (fenced for \(fenced.components.seconds) s): sockets stay, "
                    + "nothing goes out; look at the state store")
        }
        guard view.isMember else {
            return checks.set(
                "cluster", ok: false, reason: "Joining",
                message: "this instance has no place in the cluster yet: look at the state store")
        }
        let unserved = view.shards.count { $0.state == .unowned || $0.state == .orphaned }
        checks.set(
            "cluster", ok: true, reason: view.isDraining ? "Draining" : "Member",
            message: "one of \(view.members.count { $0.state == .alive }) members"
                + (unserved > 0 ? "; \(unserved) shards wait for an owner" : ""))
    }
}
