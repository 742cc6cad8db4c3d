import ManagerCore
import Spec

/// The shadow connections of one shard.
struct ShardShadow: Sendable {
    struct Member: Sendable {
        /// Of the record, see ``LiveRecord``.
        var uid: UInt64
        var desired: DesiredConnection
        var connection: ManagedConnection
    }

    let from: Title
    var members: [String: Member] = [:]
    /// What the owner says it has published, those of connections without a shadow included.
    var digests: [String: ConnectionDigests] = [:]
    /// Neither ready nor failed.
    var unsettled: Set<String> = []
    var isReported = false
    /// The shard has come, under this title; what is left here waits for its record.
    var gate: ShardGate?

    init(from: Title) {
        self.from = from
    }
}

extension FleetShards.State {
    mutating func removeShadow(_ shard: Int) -> ShardShadow? {
        guard let shadow = shadows.removeValue(forKey: shard) else { return nil }
        for name in shadow.members.keys { places[name] = nil }
        return shadow
    }

    mutating func removeMember(_ name: String, of shard: Int) {
        shadows[shard]?.members[name] = nil
        shadows[shard]?.unsettled.remove(name)
        places[name] = nil
    }

    func member(_ name: String) -> ShardShadow.Member? {
        places[name].flatMap { shadows[$0]?.members[name] }
    }
}

extension FleetShards {
    /// What a record declares; `nil` for a set, and for what cannot be read.
    ///
    /// - Parameter inShadow: `nil` also for what is not to be dialled ahead: the remote bears one
    ///   socket only, nobody has answered its Connect, or its one dial is spent and the socket gone.
    static func desired(_ record: LiveRecord, inShadow: Bool = false) -> DesiredConnection? {
        guard case .connection = ObjectKey(indexEntry: record.name),
            let stored = try? RecordCodec.decodeConnection(record.content, key: record.name)
        else { return nil }
        var desired = stored.desired
        guard inShadow else { return desired }
        guard desired.spec.overlap, !desired.isProvisional else { return nil }
        if desired.isDialSpent {
            guard stored.observed?.phase == .connected else { return nil }
            // The move of an open connection is not a second try.
            desired.spentDialRevision = desired.dialRevision - 1
        }
        return desired
    }
}
