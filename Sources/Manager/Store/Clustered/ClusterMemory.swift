import Logging
import ManagerCore
import Synchronization

/// Keeps memory as the cluster node says: the records of owned shards, as they were applied.
final class ClusterMemory: ShardMemory {
    private let memory: MemoryTier
    private let connects: OpenConnects
    private let logger: Logger
    private let onChange: @Sendable ([ObjectKey]) -> Void
    /// A record came whose Connect nobody will ever answer.
    private let onUnanswered: @Sendable (ObjectKey, RecordChange.Base, ShardGate) -> Void

    init(
        memory: MemoryTier, connects: OpenConnects, logger: Logger,
        onChange: @escaping @Sendable ([ObjectKey]) -> Void,
        onUnanswered: @escaping @Sendable (ObjectKey, RecordChange.Base, ShardGate) -> Void
    ) {
        self.memory = memory
        self.connects = connects
        self.logger = logger
        self.onChange = onChange
        self.onUnanswered = onUnanswered
    }

    func takeUp(_ gate: ShardGate) {
        let gone = memory.clear(gate.shard, for: OwnedShard(gate: gate))
        if !gone.isEmpty { onChange(gone) }
    }

    func opened(_ gate: ShardGate, _ record: LiveRecord) {
        let key = ObjectKey(indexEntry: record.name)
        let base = RecordChange.Base(uid: record.uid, revision: record.revision)
        let object: StoredObject?
        do {
            object = try StoredObject(key, content: record.content)
        } catch {
            // Whoever asks for it is told the same, by a read of the store.
            logger.error(
                "a record cannot be read and is not served", metadata: ["error": "\(error)"])
            object = nil
        }
        let isUnanswered = object?.isProvisional == true && !connects.has(key)
        if object?.isProvisional == false { connects.end(key) }
        let shown = isUnanswered ? nil : object
        if memory.install(shown, base, at: key, under: gate) { onChange([key]) }
        if isUnanswered { onUnanswered(key, base, gate) }
    }

    func closed(_ gate: ShardGate, name: String) {
        let key = ObjectKey(indexEntry: name)
        connects.end(key)
        if memory.install(nil, nil, at: key, under: gate) { onChange([key]) }
    }

    func dropped(_ gate: ShardGate) {
        guard memory.read({ $0.owned[gate.shard]?.gate === gate }) else { return }
        let gone = memory.clear(gate.shard, for: nil)
        for key in gone { connects.end(key) }
        if !gone.isEmpty { onChange(gone) }
    }
}

extension MemoryTier {
    /// Forgets the records of a shard.
    ///
    /// - Returns: their keys.
    fileprivate func clear(_ shard: Int, for next: OwnedShard?) -> [ObjectKey] {
        var gone: [ObjectKey] = []
        write { tables in
            gone = tables.owned[shard].map { Array($0.versions.keys) } ?? []
            for key in gone { tables.install(nil, at: key, etag: "") }
            tables.owned[shard] = next
        }
        return gone
    }

    /// - Parameters:
    ///   - object: what is to be seen; `nil` also for what is live but must not be.
    ///   - base: what is live; `nil` for nothing.
    /// - Returns: whether anybody has something new to act on.
    fileprivate func install(
        _ object: StoredObject?, _ base: RecordChange.Base?, at key: ObjectKey,
        under gate: ShardGate
    ) -> Bool {
        var isNews = false
        write { tables in
            guard tables.owned[gate.shard]?.gate === gate else { return }
            tables.owned[gate.shard]?.versions[key] = base
            switch (tables.object(key), object) {
            case (nil, nil): isNews = false
            case (let old?, let new?): isNews = !old.isSameDesired(as: new)
            default: isNews = true
            }
            tables.install(object, at: key, etag: "")
        }
        return isNews
    }

    /// What memory knows of a key in a cluster.
    ///
    /// - Parameter epoch: of the title under which this instance may answer; `nil` takes what is
    ///   there, for those who act only on what is this instance's own.
    /// - Returns: `nil` if memory does not know, or may not say.
    func seen(_ key: ObjectKey, servedUnder epoch: UInt64?) -> SeenRecord? {
        read { tables in
            guard let shard = tables.owned[key.shard] else { return nil }
            if let epoch {
                guard shard.gate.epoch == epoch, shard.gate.mayAct else { return nil }
            }
            let object = tables.object(key)
            let base = shard.versions[key]
            // Live, but not seen: the store tells what it is.
            if object == nil, base != nil, epoch != nil { return nil }
            return SeenRecord(
                object: object, base: object == nil ? .absent : base ?? .absent,
                gate: epoch == nil ? nil : shard.gate)
        }
    }
}

/// Connects of this process that have not been answered yet, by the connection they make.
final class OpenConnects: Sendable {
    private let keys = Mutex<Set<ObjectKey>>([])

    func begin(_ key: ObjectKey) { _ = keys.withLock { $0.insert(key) } }
    func end(_ key: ObjectKey) { _ = keys.withLock { $0.remove(key) } }
    func has(_ key: ObjectKey) -> Bool { keys.withLock { $0.contains(key) } }
}
