import ManagerAPI
import ManagerCore

/// The view of the instance that answers, with what each member says of itself put in. Pure.
struct ClusterReport: Sendable {
    private var cluster: Wsm_V1_Cluster

    init(_ own: Wsm_V1_Cluster) {
        cluster = own
    }

    /// What another member says: of its own shards and moves it knows best.
    mutating func add(_ other: Wsm_V1_Cluster) {
        for shard in other.shards
        where shard.owner == other.instance && Self.isHeld(shard.state) {
            guard let place = cluster.shards.firstIndex(where: { $0.shard == shard.shard }),
                shard.epoch >= cluster.shards[place].epoch
            else { continue }
            cluster.shards[place] = shard
        }
        cluster.moves += other.moves
        guard let itself = other.members.first(where: \.self_p),
            let place = cluster.members.firstIndex(where: { $0.instance == other.instance })
        else { return }
        cluster.members[place].connections = itself.connections
        cluster.members[place].fenced = itself.fenced
    }

    mutating func add(silent instance: String, because reason: String) {
        guard let place = cluster.members.firstIndex(where: { $0.instance == instance }) else {
            return
        }
        cluster.members[place].problem = reason.isEmpty ? "it does not answer" : reason
    }

    func cluster(isBrief: Bool) -> Wsm_V1_Cluster {
        var cluster = cluster
        cluster.unserved = Int32(
            clamping: cluster.shards.count { !Self.isHeld($0.state) && $0.state != "owned" })
        cluster.moves.sort { $0.shard < $1.shard }
        if isBrief { cluster.shards = [] }
        return cluster
    }

    private static func isHeld(_ state: String) -> Bool {
        ["serving", "loading", "moving"].contains(state)
    }
}

extension Wsm_V1_Cluster {
    /// - Parameter connections: that the instance that looks has.
    init(_ view: ClusterView, connections: Int, now: WallTime, isBrief: Bool) {
        self.init()
        clustered = true
        clusterID = view.clusterID.map { $0.high.sixteenDigits + $0.low.sixteenDigits } ?? ""
        instance = view.instance
        let seconds = now.nanosecondsSinceEpoch / 1_000_000_000
        members = view.members.map { member in
            var told = Wsm_V1_ClusterMember(member, now: seconds)
            if member.isSelf {
                told.connections = Int32(clamping: connections)
                told.fenced = view.fencedFor != nil
            }
            return told
        }
        shardCount = Int32(clamping: view.shards.count)
        moves = view.moves.map { move in
            var told = Wsm_V1_ClusterMove()
            told.shard = Int32(clamping: move.shard)
            told.from = view.instance
            told.to = move.to ?? ""
            told.step = move.step.word
            told.drain = move.isDrain
            return told
        }
        timing = Wsm_V1_ClusterTiming(view.timing)
        guard !isBrief else { return }
        shards = view.shards.map { shard in
            var told = Wsm_V1_ClusterShard()
            told.shard = Int32(clamping: shard.number)
            told.state = shard.state.rawValue
            told.owner = shard.owner ?? ""
            told.epoch = shard.epoch
            return told
        }
    }
}

extension Wsm_V1_ClusterMember {
    /// - Parameter now: Unix seconds.
    fileprivate init(_ member: ClusterView.Member, now: Int64) {
        self.init()
        instance = member.instance
        state = member.state.rawValue
        address = member.address
        slot = Int32(clamping: member.identity.slot)
        slotEpoch = member.identity.slotEpoch
        incarnation = member.identity.incarnation.description
        weight = Int32(clamping: member.weight)
        cordoned = member.isCordoned
        shards = Int32(clamping: member.shards)
        since = now - member.standsFor.components.seconds
        suspected = member.suspicion != nil
        suspicion = member.suspicion ?? ""
        self_p = member.isSelf
    }
}

extension Wsm_V1_ClusterTiming {
    fileprivate init(_ timing: ManagerCore.ClusterTiming) {
        self.init()
        heartbeat = timing.heartbeat.wholeMilliseconds
        storeDeadline = timing.storeDeadline.wholeMilliseconds
        lease = timing.lease.wholeMilliseconds
        publish = timing.publish.wholeMilliseconds
        suspicion = timing.suspicion.wholeMilliseconds
        poll = timing.poll.wholeMilliseconds
        closeAfterFenced = timing.closeAfterFenced.wholeMilliseconds
        awayGrace = timing.awayGrace.wholeMilliseconds
        drain = timing.drain.wholeMilliseconds
    }
}

extension UInt64 {
    fileprivate var sixteenDigits: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Duration {
    fileprivate var wholeMilliseconds: Int64 { saturatedNanoseconds / 1_000_000 }
}
