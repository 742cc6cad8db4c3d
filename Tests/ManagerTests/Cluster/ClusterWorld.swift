import Logging
import Manager
import ManagerCore
import NIOCore
import NIOEmbedded
import Synchronization
import TestKit

/// Several cluster nodes in one process, on one state store, in time that the test moves.
final class ClusterWorld {
    let clock = ManualClock()
    let store = InMemoryStateStore()
    let loop = NIOAsyncTestingEventLoop()
    private(set) var nodes: [TestNode] = []
    private let switchboard = Switchboard()

    /// - Parameter memory: told instead of the node's own double.
    func addNode(_ name: String, memory: (any ShardMemory)? = nil) -> TestNode {
        var configuration = ClusterConfiguration(
            node: name, hostID: "host", address: name, timing: .standard)
        configuration.slots = 8
        let node = TestNode(
            name: name,
            node: ClusterNode(
                configuration: configuration, store: store, eventLoop: loop, eventLoops: [],
                clock: clock.managerClock, logger: Logger(label: "test")))
        switchboard.add(node.node, at: name)
        nodes.append(node)
        node.start(link: switchboard, memory: memory)
        return node
    }

    /// Ends a node as a crash would: it says nothing any more.
    func crash(_ node: TestNode) async {
        switchboard.remove(node.name)
        _ = await running { await node.node.stop() }
        nodes.removeAll { $0 === node }
    }

    /// Awaits what needs the loop to turn.
    private func running<Result: Sendable>(
        _ body: @escaping @Sendable () async -> Result
    ) async -> Result {
        let isDone = Flag()
        let task = Task {
            defer { isDone.raise() }
            return await body()
        }
        while !isDone.isRaised {
            await loop.run()
            await Task.yield()
        }
        return await task.value
    }

    /// Moves time in steps until a fact holds.
    func advance(
        upTo limit: Duration = .seconds(120), until fact: () async -> Bool
    ) async -> Bool {
        var passed = Duration.zero
        while await !fact() {
            if passed >= limit { return false }
            clock.advance(by: .milliseconds(250))
            await loop.advanceTime(by: .milliseconds(250))
            await settle()
            passed += .milliseconds(250)
        }
        return true
    }

    /// Runs what is under way until nothing is.
    func settle() async {
        var quietTurns = 0
        while quietTurns < 3 {
            await loop.run()
            await Task.yield()
            var underWay = 0
            for node in nodes { underWay += await running { await node.node.storeCallsUnderWay() } }
            quietTurns = underWay == 0 ? quietTurns + 1 : 0
        }
    }
}

/// Raised once, from anywhere.
final class Flag: Sendable {
    private let raised = Mutex(false)

    var isRaised: Bool { raised.withLock { $0 } }
    func raise() { raised.withLock { $0 = true } }
}

/// One node with doubles around it.
final class TestNode: Sendable {
    let name: String
    let node: ClusterNode
    let memory = MemoryDouble()
    let connections: ConnectionsDouble

    init(name: String, node: ClusterNode) {
        self.name = name
        self.node = node
        connections = ConnectionsDouble(reports: node)
    }

    func start(link: any PeerLink, memory other: (any ShardMemory)? = nil) {
        node.start(
            .init(connections: connections, memory: other ?? memory, link: link),
            address: name)
    }
}

/// Delivers at once, in order.
final class Switchboard: PeerLink {
    private let nodes = Mutex<[String: ClusterNode]>([:])

    func add(_ node: ClusterNode, at address: String) { nodes.withLock { $0[address] = node } }
    func remove(_ address: String) { nodes.withLock { $0[address] = nil } }

    func send(_ messages: [PeerMessage], to address: String) {
        nodes.withLock { $0[address] }?.receive(messages)
    }
}

/// Keeps what it is told, by shard.
final class MemoryDouble: ShardMemory {
    private let state = Mutex<[Int: [String: LiveRecord]]>([:])

    var names: Set<String> { state.withLock { Set($0.values.flatMap(\.keys)) } }
    var shards: Set<Int> { state.withLock { Set($0.keys) } }
    func record(_ name: String) -> LiveRecord? {
        state.withLock { $0.values.compactMap { $0[name] }.first }
    }

    func takeUp(_ gate: ShardGate) { state.withLock { $0[gate.shard] = [:] } }
    func opened(_ gate: ShardGate, _ record: LiveRecord) {
        state.withLock { $0[gate.shard]?[record.name] = record }
    }
    func closed(_ gate: ShardGate, name: String) {
        state.withLock { $0[gate.shard]?[name] = nil }
    }
    func dropped(_ gate: ShardGate) { state.withLock { $0[gate.shard] = nil } }
}

/// Connections that are as quick as can be.
final class ConnectionsDouble: ShardConnections {
    private let reports: any ClusterReports
    private let seen = Mutex<[String]>([])

    init(reports: any ClusterReports) { self.reports = reports }

    var events: [String] { seen.withLock { $0 } }
    private func note(_ event: String) { seen.withLock { $0.append(event) } }

    func takeUp(_ gate: ShardGate, origin: ShardHeader.Origin) { note("takeUp \(origin.how)") }
    func opened(_ gate: ShardGate, _ record: LiveRecord) {}
    func stopReading(_ gate: ShardGate, stop: Int) {
        guard let title = gate.title else { return }
        reports.drained(shard: gate.shard, title: title, stop: stop, [])
    }
    func hangUp(_ gate: ShardGate) { note("hangUp") }
    func resume(_ gate: ShardGate) { note("resume") }
    func drop(_ gate: ShardGate, _ cause: ClusterAction.DropCause) { note("drop \(cause)") }
    func collectDigests(_ gate: ShardGate) {
        guard let title = gate.title else { return }
        reports.digests(shard: gate.shard, title: title, [])
    }
    func shadow(shard: Int, from: Title, _ records: [LiveRecord]) {
        note("shadow")
        reports.shadowReady(shard: shard, from: from)
    }
    func keepDigests(shard: Int, from: Title, _ digests: [ConnectionDigests]) {}
    func dropShadow(shard: Int, from: Title) { note("dropShadow") }
    func closeSockets() { note("closeSockets") }
    func redial() { note("redial") }
}
