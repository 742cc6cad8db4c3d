import Feed
import ManagerCore
import NIOPosix
import Reconciler
import Spec
import Synchronization
import TestKit
import WebSocket

@testable import Manager

/// The connections of one member of a cluster, driven by the test in the place of its node.
final class ShardMember: Sendable {
    let records = FakeDesiredState()
    let lease: LeaseGate
    let metrics = ManagerMetrics()
    let reports = ReportsSeen()
    let lifecycle: LifecyclePublisher
    let fleet: ConnectionFleet
    let shards: FleetShards
    let loop: ReconcileLoop
    private let slot: Int
    private let leaseTime: Mutex<Moment>
    private let running: Task<Void, Never>

    init(
        _ slot: Int, bus: any Bus, timing: ClusterTiming = .fast, spill: SpillDirectory? = nil
    ) throws {
        self.slot = slot
        let time = LeaseTime()
        lease = LeaseGate(now: { time.now })
        leaseTime = Mutex(time.now)
        self.time = time
        let wake = Wake()
        let group = MultiThreadedEventLoopGroup.singleton
        lifecycle = LifecyclePublisher(bus: bus, home: .sole(epoch: UInt64(slot)))
        let environment = ConnectionEnvironment(
            instanceID: "member-\(slot)", dialer: WebSocketDialer(group: group),
            bus: bus,
            secrets: SecretResolver(directory: nil, environmentPrefix: "WSM_", environment: [:]),
            egress: EgressPolicy(isBoundToLoopback: true),
            buffers: SharedBufferBudget(limit: 1 << 30), spill: spill,
            lifecycle: lifecycle, clock: .system, logger: silent, metrics: metrics,
            busHealth: BusHealth(now: { .now }), onChange: { wake.call($0) })
        environment.reports.connect(reports)
        fleet = ConnectionFleet(
            environment: environment, group: group, gate: nil, stored: { _ in nil })
        shards = FleetShards(
            fleet: fleet, records: records, lease: lease, group: group, timing: timing)
        loop = ReconcileLoop(
            desired: shards, control: shards, timer: EventLoopTimer(eventLoop: group.next()),
            configuration: ReconcilerConfiguration(), logger: silent, now: { .now })
        let loop = loop
        wake.connect { loop.connectionsChanged($0) }
        running = Task { await loop.run() }
        unfence()
    }

    private let time: LeaseTime

    func stop() async {
        running.cancel()
        loop.pause()
        _ = await fleet.shutDown(within: .seconds(1))
        await running.value
    }

    // MARK: The lease

    func fence() { lease.set(validUntil: nil) }
    func unfence() { lease.set(validUntil: time.now + .seconds(1_000)) }
    /// The lease runs out, and so much more time passes.
    func outlive(by duration: Duration) { time.advance(by: .seconds(1_000) + duration) }

    // MARK: Titles

    func title(_ epoch: UInt64) -> Title {
        Title(
            identity: Identity(
                slot: slot, slotEpoch: 1, incarnation: Incarnation(high: 7, low: UInt64(slot))),
            shardEpoch: epoch)
    }

    /// Takes a shard up as the node does, with the records that are given.
    @discardableResult
    func takeUp(
        _ epoch: UInt64, from former: Title? = nil, how: ShardHeader.How = .first,
        _ connections: [DesiredConnection]
    ) -> ShardGate {
        let shard = connections[0].shard
        let gate = ShardGate(shard: shard, title: title(epoch), lease: lease)
        shards.takeUp(
            gate,
            origin: .init(owner: former?.identity, shardEpoch: former?.shardEpoch ?? 0, how: how))
        for connection in connections {
            records.put(connection)
            shards.opened(gate, connection.live)
            loop.connectionChanged(connection.name)
        }
        return gate
    }

    /// As the node does when the title is gone.
    func drop(
        _ gate: ShardGate, _ cause: ClusterAction.DropCause, _ connections: [DesiredConnection]
    ) {
        shards.drop(gate, cause)
        for connection in connections { records.remove(connection.name) }
        for connection in connections { loop.connectionChanged(connection.name) }
    }

    func isOpen(_ name: String) -> Bool { fleet.observe(name)?.isOpen ?? false }

    func traffic(_ name: String) -> TrafficCounters {
        fleet.observe(name)?.traffic ?? TrafficCounters()
    }
}

/// The clock of a lease.
final class LeaseTime: Sendable {
    private let moment = Mutex(Moment(.zero))
    var now: Moment { moment.withLock { $0 } }
    func advance(by duration: Duration) { moment.withLock { $0 = $0 + duration } }
}

private final class Wake: Sendable {
    private let target = Mutex<(@Sendable ([String]) -> Void)?>(nil)
    func connect(_ body: @escaping @Sendable ([String]) -> Void) { target.withLock { $0 = body } }
    func call(_ names: [String]) { target.withLock { $0 }?(names) }
}

/// What the connections report to the node.
final class ReportsSeen: ClusterReports {
    struct Seen: Sendable {
        var drained: [[ConnectionDigests]] = []
        var digests: [[ConnectionDigests]] = []
        var ready: [Title] = []
        var dropped: [Title] = []
    }

    private let state = Mutex(Seen())

    var seen: Seen { state.withLock { $0 } }

    func drained(shard: Int, title: Title, stop: Int, _ digests: [ConnectionDigests]) {
        state.withLock { $0.drained.append(digests) }
    }

    func digests(shard: Int, title: Title, _ digests: [ConnectionDigests]) {
        state.withLock { $0.digests.append(digests) }
    }

    func shadowReady(shard: Int, from: Title) { state.withLock { $0.ready.append(from) } }
    func socketDropped(shard: Int, title: Title) { state.withLock { $0.dropped.append(title) } }
}

extension DesiredConnection {
    var shard: Int { Shards.shard(of: name) }

    var live: LiveRecord {
        LiveRecord(
            name: name, uid: LiveRecord.key(ofUID: uid.rawValue), revision: 1,
            content: RecordCodec.encode(ConnectionRecord(epoch: 1, desired: self)))
    }

    /// A connection to a path of the feed, with short waits.
    static func feed(
        _ feed: FeedServer, _ name: String, _ path: String,
        _ edit: (inout ConnectionSpec) -> Void = { _ in }
    ) -> DesiredConnection {
        sample(name) {
            $0.url = feed.url(path)
            $0.topic = name
            $0.reconnect.base = .milliseconds(10)
            $0.reconnect.cap = .milliseconds(50)
            edit(&$0)
        }
    }
}

/// A feed, a bus, and two members that share them.
struct TwoMembers {
    let feed: FeedServer
    let bus = RecordingBus()
    let one: ShardMember
    let two: ShardMember

    static func run(
        timing: ClusterTiming = .fast, _ body: (TwoMembers) async throws -> Void
    ) async throws {
        let rig = try await TwoMembers(timing)
        do {
            try await body(rig)
        } catch {
            await rig.stop()
            throw error
        }
        await rig.stop()
    }

    private init(_ timing: ClusterTiming) async throws {
        feed = try await FeedServer.start()
        one = try ShardMember(1, bus: bus, timing: timing)
        two = try ShardMember(2, bus: bus, timing: timing)
    }

    private func stop() async {
        bus.mode = .accepting
        await one.stop()
        await two.stop()
        await feed.stop()
    }

    func send(_ numbers: some Sequence<Int>, to path: String) {
        for number in numbers { feed.broadcast("f\(number)", to: path) }
    }

    func texts(_ numbers: some Sequence<Int>) -> [String] { numbers.map { "f\($0)" } }

    /// The gap events of a connection, as text.
    func gaps(_ name: String) -> [String] {
        bus.accepted(on: LifecycleEvent.topic)
            .filter { $0.subject == "connection/\(name)" && $0.type.hasSuffix(".gap") }
            .map { String(decoding: $0.payload, as: UTF8.self) }
    }
}
