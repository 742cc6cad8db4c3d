package import ManagerCore
package import NIOCore
package import Reconciler
import Synchronization

/// The connections of this instance, shard by shard, as the cluster node drives them.
///
/// The reconcile loop goes on deciding what is dialled and when, for shadows too: it asks here what
/// is desired and what is there. Records of shards that are served come from the store's memory;
/// those of shadows are answered from here until the shard comes and its record is opened.
package final class FleetShards: ShardConnections {
    /// How long a shadow whose shard came waits for its record; it was deleted if none comes.
    static let recordLimit: TimeAmount = .seconds(20)

    let fleet: ConnectionFleet
    let environment: ConnectionEnvironment
    let group: any EventLoopGroup
    let records: any DesiredState
    private let lease: LeaseGate
    /// So long an open shadow may be quiet before it counts as ready.
    private let quiet: Duration
    /// When a shadow is reported ready whatever its connections are like: before the owner gives up.
    private let shadowLimit: Duration
    let state = Mutex(State())

    struct State {
        var shadows: [Int: ShardShadow] = [:]
        /// Names of shadow connections, and the shards they belong to.
        var places: [String: Int] = [:]
        /// Shards that are being brought to rest, each with the number of the try.
        var stopping: [Int: Int] = [:]
    }

    /// - Parameter records: the records of shards that are served.
    package init(
        fleet: ConnectionFleet, records: any DesiredState, lease: LeaseGate,
        group: any EventLoopGroup, timing: ClusterTiming
    ) {
        self.fleet = fleet
        self.records = records
        self.lease = lease
        self.group = group
        environment = fleet.environment
        quiet = timing.shadow * 2 / 5
        shadowLimit = timing.shadow * 17 / 20
    }

    // MARK: Titles

    package func takeUp(_ gate: ShardGate, origin: ShardHeader.Origin) {
        var tenure = Tenure(gate, origin: origin, takenAt: environment.clock.wallTime())
        let former = state.withLock { state -> ShardShadow? in
            guard var shadow = state.shadows[gate.shard] else { return nil }
            let isHeirs =
                shadow.from.identity == origin.owner
                && shadow.from.shardEpoch == origin.shardEpoch
            tenure.published = isHeirs ? shadow.digests : [:]
            guard isHeirs else { return state.removeShadow(gate.shard) }
            shadow.gate = gate
            state.shadows[gate.shard] = shadow
            return nil
        }
        leave(former)
        fleet.begin(tenure)
        group.any().scheduleTask(in: Self.recordLimit) { [weak self] in
            self?.endShadow(gate.shard) { $0.gate === gate }
        }
    }

    package func opened(_ gate: ShardGate, _ record: LiveRecord) {
        guard case .connection(let name) = ObjectKey(indexEntry: record.name) else { return }
        let found = state.withLock { state -> (ShardShadow.Member, ConnectionDigests?)? in
            guard let shadow = state.shadows[gate.shard], shadow.gate === gate,
                let member = shadow.members[name]
            else { return nil }
            return (member, shadow.digests[name])
        }
        guard let (member, digests) = found else { return }
        let desired = Self.desired(record) ?? member.desired
        let isSame = member.uid == record.uid && member.connection.uid == desired.uid
        let isAdopted = isSame && fleet.adopt(member.connection, under: gate)
        state.withLock { $0.removeMember(name, of: gate.shard) }
        guard isAdopted else {
            member.connection.leave {}
            environment.onChange([name])
            return
        }
        var succession = fleet.succession(of: name, under: gate)
        succession.lastSequence = digests?.lastSequence ?? succession.lastSequence
        member.connection.becomeEffective(gate, desired, succession)
    }

    package func hangUp(_ gate: ShardGate) {
        for connection in fleet.members(of: gate).present { connection.hangUp() }
    }

    package func resume(_ gate: ShardGate) {
        state.withLock { $0.stopping[gate.shard] = nil }
        gate.rest(false)
        fleet.setStopped(false, gate)
        let (present, leaving) = fleet.members(of: gate)
        for connection in present + leaving { connection.resume() }
    }

    package func drop(_ gate: ShardGate, _ cause: ClusterAction.DropCause) {
        // Nothing is published after this, whoever ends the gate first.
        gate.set(.ended)
        state.withLock { $0.stopping[gate.shard] = nil }
        endShadow(gate.shard) { $0.gate === gate }
        for connection in fleet.end(gate) {
            let id = ObjectIdentifier(connection)
            connection.leave { [fleet] in fleet.retire(id) }
            environment.onChange([connection.name])
        }
    }

    package func collectDigests(_ gate: ShardGate) {
        guard let title = gate.title else { return }
        let reports = environment.reports
        Gathering.run(fleet.members(of: gate).present, { $0.digestsForHeir() }) { digests in
            reports.digests(shard: gate.shard, title: title, digests.sortedByName)
        }
    }

    // MARK: The fence

    package func closeSockets() {
        for connection in fleet.all + shadowConnections { connection.closeSocket() }
    }

    package func redial() {
        environment.onChange((fleet.all + shadowConnections).map(\.name))
    }

    // MARK: Shadows

    package func shadow(shard: Int, from: Title, _ records: [LiveRecord]) {
        var shadow = ShardShadow(from: from)
        for record in records {
            guard let desired = Self.desired(record, inShadow: true) else { continue }
            let name = desired.name
            shadow.members[name] = ShardShadow.Member(
                uid: record.uid, desired: desired,
                connection: .inShadow(
                    desired, eventLoop: group.next(), environment: environment, lease: lease,
                    quiet: quiet,
                    onSettled: { [weak self] in self?.settled(name, shard: shard, from: from) }))
            shadow.unsettled.insert(name)
        }
        let made = shadow
        let former = state.withLock { state in
            let former = state.removeShadow(shard)
            state.shadows[shard] = made
            for name in made.members.keys { state.places[name] = shard }
            return former
        }
        leave(former)
        environment.onChange(Array(made.members.keys))
        reportIfReady(shard, from, isLate: false)
        group.any().scheduleTask(in: TimeAmount(shadowLimit)) { [weak self] in
            self?.reportIfReady(shard, from, isLate: true)
        }
    }

    private func settled(_ name: String, shard: Int, from: Title) {
        state.withLock { state in
            guard state.shadows[shard]?.from == from else { return }
            state.shadows[shard]?.unsettled.remove(name)
        }
        reportIfReady(shard, from, isLate: false)
    }

    private func reportIfReady(_ shard: Int, _ from: Title, isLate: Bool) {
        let isReady = state.withLock { state -> Bool in
            guard let shadow = state.shadows[shard], shadow.from == from, !shadow.isReported,
                isLate || shadow.unsettled.isEmpty
            else { return false }
            state.shadows[shard]?.isReported = true
            return true
        }
        if isReady { environment.reports.shadowReady(shard: shard, from: from) }
    }

    package func keepDigests(shard: Int, from: Title, _ digests: [ConnectionDigests]) {
        let kept = state.withLock { state -> [(ManagedConnection, ConnectionDigests)] in
            guard var shadow = state.shadows[shard], shadow.from == from else { return [] }
            let news = digests.filter {
                $0.lastSequence >= shadow.digests[$0.name]?.lastSequence ?? 0
            }
            for digest in news { shadow.digests[digest.name] = digest }
            state.shadows[shard] = shadow
            return news.compactMap { digest in
                shadow.members[digest.name].map { ($0.connection, digest) }
            }
        }
        for (connection, digest) in kept { connection.keepDigests(digest) }
    }

    package func dropShadow(shard: Int, from: Title) {
        endShadow(shard) { $0.from == from && $0.gate == nil }
    }

    /// The process ends: no shadow is left. ``ConnectionFleet/shutDown(within:)`` ends the rest.
    ///
    /// Returns when their sockets are closed, or after the limit.
    package func endShadows(within limit: Duration) async {
        let connections = shadowConnections
        let shards = state.withLock { Array($0.shadows.keys) }
        for shard in shards { endShadow(shard) { _ in true } }
        await environment.clock.wait(within: limit) {
            !connections.contains(where: \.observed.hasSocket)
        }
    }

    private func endShadow(_ shard: Int, _ isMeant: (ShardShadow) -> Bool) {
        let shadow = state.withLock { state -> ShardShadow? in
            guard let shadow = state.shadows[shard], isMeant(shadow) else { return nil }
            return state.removeShadow(shard)
        }
        leave(shadow)
    }

    private func leave(_ shadow: ShardShadow?) {
        for (name, member) in shadow?.members ?? [:] {
            member.connection.leave {}
            environment.onChange([name])
        }
    }

    var shadowConnections: [ManagedConnection] {
        state.withLock { $0.shadows.values.flatMap { $0.members.values.map(\.connection) } }
    }
}

extension [ConnectionDigests] {
    var sortedByName: [ConnectionDigests] { sorted { $0.name < $1.name } }
}
