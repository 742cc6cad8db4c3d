import Access
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import ManagerAPI
import ManagerCore
import NIOCore
import NIOPosix
import Spec
import Synchronization
import TestKit

@testable import Manager

/// Who owns which shard, as all instances of a rig agree on it.
final class FakeOwnership: Sendable {
    struct State: Sendable {
        var owners: [Int: (instance: String, epoch: UInt64)] = [:]
        var addresses: [String: String] = [:]
        /// In the order of joining.
        var members: [String] = []
        /// What an instance believes against the truth.
        var beliefs: [String: [Int: (instance: String, epoch: UInt64)]] = [:]
        var frozen: Set<Int> = []
        var drains: [String] = []
        var cordons: [String: Bool] = [:]
    }

    private let state = Mutex(State())

    func edit<Result>(_ body: (inout sending State) -> sending Result) -> Result {
        state.withLock { body(&$0) }
    }

    var now: State { state.withLock { $0 } }

    static func identity(_ instance: String) -> Identity {
        Identity(
            slot: Int(instance.utf8.last ?? 0), slotEpoch: 1,
            incarnation: Incarnation(high: 1, low: UInt64(instance.utf8.last ?? 0)))
    }

    /// Gives the shard of a name to an instance, under a new epoch.
    func give(_ name: String, to instance: String?) {
        let shard = Shards.shard(of: name)
        state.withLock { state in
            let epoch = (state.owners[shard]?.epoch ?? 100) + 1
            state.owners[shard] = instance.map { ($0, epoch) }
        }
    }
}

/// The cluster as one instance of a rig sees it.
struct FakeCluster: Cluster, ClusterControl {
    let ownership: FakeOwnership
    let instance: String

    private func title(_ owner: (instance: String, epoch: UInt64)) -> Title {
        Title(identity: FakeOwnership.identity(owner.instance), shardEpoch: owner.epoch)
    }

    func owner(of name: String) -> ShardOwner {
        let shard = Shards.shard(of: name)
        let state = ownership.now
        guard let owner = state.beliefs[instance]?[shard] ?? state.owners[shard] else {
            return .nobody
        }
        if owner.instance == instance { return .me(epoch: owner.epoch) }
        guard let address = state.addresses[owner.instance] else { return .nobody }
        return .other(instance: owner.instance, address: address, title: title(owner))
    }

    func gate(for name: String) -> ShardGate? {
        let shard = Shards.shard(of: name)
        let state = ownership.now
        guard let owner = state.owners[shard], owner.instance == instance else { return nil }
        let gate = ShardGate(shard: shard, title: title(owner), lease: .always)
        if state.frozen.contains(shard) { gate.set(.frozen) }
        return gate
    }

    func change(_ changes: [RecordChange]) async -> [CallResult] {
        changes.map { _ in .unavailable }
    }

    var members: [ClusterPeer] {
        let state = ownership.now
        return state.members.map {
            ClusterPeer(
                instance: $0, address: state.addresses[$0] ?? "", isMe: $0 == instance,
                isDraining: state.drains.contains($0))
        }.sorted { $0.isMe && !$1.isMe }
    }

    var view: ClusterView {
        let state = ownership.now
        let members = state.members.map { name in
            ClusterView.Member(
                instance: name, state: .alive, address: state.addresses[name] ?? "",
                identity: FakeOwnership.identity(name), weight: 1,
                isCordoned: state.cordons[name] ?? false, isSelf: name == instance,
                shards: state.owners.values.count { $0.instance == name },
                standsFor: .seconds(60), suspicion: nil)
        }
        let shards = (0..<Shards.count).map { number in
            guard let owner = state.owners[number] else {
                return ClusterView.Shard(number: number, state: .unowned, owner: nil, epoch: 0)
            }
            let isMine = owner.instance == instance
            let isThere = state.members.contains(owner.instance)
            return ClusterView.Shard(
                number: number, state: isMine ? .serving : isThere ? .owned : .orphaned,
                owner: owner.instance, epoch: owner.epoch)
        }
        return ClusterView(
            clusterID: Incarnation(high: 1, low: 2), instance: instance, isMember: true,
            isDraining: false, fencedFor: nil, members: members, shards: shards, moves: [],
            timing: .standard)
    }

    var isLeaseValid: Bool { true }

    func drain(isRestart: Bool) {
        ownership.edit { $0.drains.append(instance) }
    }

    func callOffDrain() {
        ownership.edit { $0.drains.removeAll { $0 == instance } }
    }

    func cordon(_ isWanted: Bool) {
        ownership.edit { $0.cordons[instance] = isWanted }
    }
}

/// Several instances in one process, each with records of its own and a port of its own, under an
/// ownership that the test decides.
final class ClusterRig: Sendable, StoredObjects {
    struct Node: Sendable {
        var name: String
        var running: RunningServer
        var bus: LocalBus
        var peers: PeerConnections
        var server: GRPCServer<HTTP2ServerTransport.Posix>
        var port: Int
        var serving: Task<Void, any Error>
        var client: GRPCClient<HTTP2ClientTransport.Posix>
        var connecting: Task<Void, any Error>

        var manager: Virtufin_WebSocketManager.Client<HTTP2ClientTransport.Posix> {
            .init(wrapping: client)
        }
        var orchestrator: Wsm_V1_Orchestrator.Client<HTTP2ClientTransport.Posix> {
            .init(wrapping: client)
        }
        var store: TwoTierStore { running.server.store }

        /// At once, but not while a connection is being accepted: the transport traps on that.
        func stopServing() async {
            server.beginGracefulShutdown()
            _ = await eventually { await !accepts() }
            serving.cancel()
            _ = await serving.result
        }

        private func accepts() async -> Bool {
            let socket = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port).get()
            try? await socket?.close()
            return socket != nil
        }
    }

    let ownership = FakeOwnership()
    private let received = Mutex<[String: [PeerMessage]]>([:])
    private let audit = Mutex<[String]>([])
    private let streams = Mutex(0)
    private let nodes = Mutex<[String: Node]>([:])

    /// What peers have brought to an instance, in order.
    func messages(at name: String) -> [PeerMessage] { received.withLock { $0[name] ?? [] } }

    /// Audit lines of all instances: `instance: caller role method outcome`.
    var auditLines: [String] { audit.withLock { $0 } }

    /// Streams that peers have open at instances.
    var openStreams: Int { streams.withLock { $0 } }

    fileprivate func opened() { streams.withLock { $0 += 1 } }
    fileprivate func closed() { streams.withLock { $0 -= 1 } }

    fileprivate func note(_ line: String) { audit.withLock { $0.append(line) } }

    func node(_ name: String) throws -> Node {
        guard let node = nodes.withLock({ $0[name] }) else { throw Missing(name: name) }
        return node
    }

    struct Missing: Error {
        var name: String
    }

    static func run(
        _ names: String..., isForwarding: Bool = true, tokens: String? = nil,
        peerToken: String? = nil, _ body: (ClusterRig) async throws -> Void
    ) async throws {
        let rig = ClusterRig()
        do {
            for name in names {
                try await rig.start(
                    name, isForwarding: isForwarding, tokens: tokens, peerToken: peerToken)
            }
            try await body(rig)
        } catch {
            await rig.stopAll()
            throw error
        }
        await rig.stopAll()
    }

    func start(
        _ name: String, isForwarding: Bool = true, tokens: String? = nil, peerToken: String? = nil
    ) async throws {
        let bus = LocalBus()
        let running = try await RunningServer.start(bus: bus) { $0.instanceID = name }
        let directory = try TemporaryDirectory()
        var paths = AccessFiles.Paths()
        paths.tokenFile = try tokens.map { try directory.write($0, to: "tokens") }
        paths.peerTokenFile = try peerToken.map { try directory.write($0, to: "peers") }
        let files = try AccessFiles(paths: paths)
        let log = AuditLog(logger: Logger(label: name) { _ in AuditLines(node: name, rig: self) })
        let control = AccessControl(
            files: files, audit: log, peers: peerToken == nil ? .loopback : .token)
        let peers = PeerConnections(credentials: PeerCredentials(files: files), logger: silent)
        let cluster = FakeCluster(ownership: ownership, instance: name)
        let api = ClusterAPI(
            peers: peers, cluster: cluster, control: cluster, stored: self,
            isForwarding: isForwarding)
        let services = api.services(
            manager: running.server.manager, orchestrator: running.server.orchestrator,
            receive: { [weak self] messages in
                self?.received.withLock { $0[name, default: []] += messages }
            })
        let server = GRPCServer(
            transport: .http2NIOPosix(
                address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext),
            services: services,
            interceptors: [
                AccessInterceptor(.network(control), audit: log), ReaderMasking(),
                RequestSizeLimit(), StreamCount(rig: self),
            ])
        let serving = Task { try await server.serve() }
        let port = try await server.transport.listeningAddress.ipv4?.port ?? 0
        let client = GRPCClient(
            transport: try .http2NIOPosix(
                target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext))
        let node = Node(
            name: name, running: running, bus: bus, peers: peers, server: server, port: port,
            serving: serving,
            client: client, connecting: Task { try await client.runConnections() })
        nodes.withLock { $0[name] = node }
        ownership.edit { state in
            state.addresses[name] = "127.0.0.1:\(port)"
            state.members.append(name)
        }
    }

    /// Takes an instance away at once, as a crash does; what it owned stays its own.
    func kill(_ name: String) async throws {
        let node = try node(name)
        ownership.edit { state in
            state.members.removeAll { $0 == name }
            state.addresses[name] = nil
        }
        await node.stopServing()
    }

    func stopAll() async {
        for node in nodes.withLock({ Array($0.values) }) {
            node.client.beginGracefulShutdown()
            node.connecting.cancel()
            await node.peers.close()
            await node.stopServing()
            await node.running.stop()
        }
    }

    /// Puts a connection that is never dialled at an instance, which owns it from then on.
    func put(_ name: String, at instance: String) async throws {
        ownership.give(name, to: instance)
        try await node(instance).store.put(name, topic: "t-\(name)")
    }

    /// Moves a connection as a hand-over does.
    func move(_ name: String, from: String, to: String) async throws {
        ownership.give(name, to: to)
        let record = try node(from).store.record(name)
        try await node(from).store.remove(name)
        guard let record else { return }
        try await node(to).store.transact { $0.put(record) }
    }

    // MARK: The store, as if all memories were one

    private var stores: [TwoTierStore] {
        nodes.withLock { $0.sorted { $0.key < $1.key }.map(\.value.store) }
    }

    func entries(ofShards shards: Set<Int>) async throws -> [ObjectKey] {
        stores.flatMap { $0.desiredNames() }.map { ObjectKey.connection($0) }
            .filter { shards.contains($0.shard) }
    }

    func connections(_ names: [String]) async throws -> [ConnectionRecord] {
        names.compactMap { name in stores.lazy.compactMap { $0.record(name) }.first }
    }

    func connectionSets(_ names: [String]) async throws -> [ConnectionSetRecord] {
        names.compactMap { name in stores.lazy.compactMap { $0.connectionSet(name) }.first }
    }
}

/// Counts the calls of peers for as long as they are answered.
private struct StreamCount: ServerInterceptor {
    let rig: ClusterRig

    @concurrent
    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next:
            @concurrent @Sendable (
                _ request: StreamingServerRequest<Input>, _ context: ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        var response = try await next(request, context)
        guard case .success(var contents) = response.accepted, Hop.current != nil else {
            return response
        }
        let producer = contents.producer
        contents.producer = { writer in
            rig.opened()
            defer { rig.closed() }
            return try await producer(writer)
        }
        response.accepted = .success(contents)
        return response
    }
}

private struct AuditLines: LogHandler {
    let node: String
    let rig: ClusterRig
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = event.metadata ?? [:]
        let text = ["caller", "role", "method", "via", "outcome"].compactMap { key in
            facts[key].map { key == "via" ? " via" : " \($0)" }
        }.joined()
        rig.note("\(node):\(text)")
    }
}
