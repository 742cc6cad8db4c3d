import ManagerCore
import Synchronization
import TestKit

@testable import Manager

/// A cluster in one process: the shards of several instances over one state store, each change made
/// by its owner with the rules of the protocol, faults on demand.
final class ShardedCluster: Sendable {
    enum Fault: Sendable {
        /// Nobody answers; nothing happens.
        case unavailable
        /// It takes effect, but nobody answers.
        case unavailableButApplied
    }

    private struct State {
        var owners: [Int: Int] = [:]
        var gates: [Int: ShardGate] = [:]
        var serving: Set<Int> = []
        var live: [String: OwnedRecord] = [:]
        /// As the store has them, tombstones too.
        var stored: [String: OwnedRecord] = [:]
        var memories: [any ShardMemory] = []
        var lastEpoch: UInt64 = 100
        var lastNonce: UInt64 = 0
        var fault: (@Sendable (RecordChange) -> Fault?)?
        var log: [RecordChange] = []
        var refused = 0
        var calls = 0
        var interruptions: [@Sendable () async -> Void] = []
    }

    let store = InMemoryStateStore()
    private let state = Mutex(State())

    /// One instance's end of it.
    struct Member: Cluster {
        let cluster: ShardedCluster
        let index: Int

        func owner(of name: String) -> ShardOwner {
            cluster.owner(of: Shards.shard(of: name), for: index)
        }

        func gate(for name: String) -> ShardGate? {
            cluster.gate(of: Shards.shard(of: name), for: index)
        }

        func change(_ changes: [RecordChange]) async -> [CallResult] {
            await cluster.change(changes)
        }

        var members: [ClusterPeer] { [] }
    }

    /// Adds an instance that owns nothing yet.
    /// - Parameter patience: with owners that do not answer; none unless told.
    func join(
        patience: Duration = .zero,
        onChange: @escaping @Sendable ([ObjectKey]) -> Void = { _ in }
    ) -> TwoTierStore {
        let clustered = TwoTierStore.clustered(
            store, epoch: 1, logger: silent,
            patience: .init(limit: patience, pause: .milliseconds(1)), onChange: onChange)
        let index = state.withLock { state in
            state.memories.append(clustered.memory)
            return state.memories.count - 1
        }
        clustered.join(Member(cluster: self, index: index))
        return clustered.store
    }

    /// So many instances, each with every so-many-th shard.
    static func of(
        _ count: Int, patience: Duration = .zero
    ) -> (ShardedCluster, [TwoTierStore]) {
        let cluster = ShardedCluster()
        let stores = (0..<count).map { _ in cluster.join(patience: patience) }
        for shard in 0..<Shards.count { cluster.give(shard, to: shard % count) }
        return (cluster, stores)
    }

    // MARK: Who owns what

    /// The shard gets an owner under a new title, with all that is live there.
    /// - Parameter isServing: its records are loaded; otherwise the new owner has none of them yet.
    func give(_ shard: Int, to index: Int?, isServing: Bool = true) {
        state.withLock { state in
            if let gate = state.gates.removeValue(forKey: shard), let owner = state.owners[shard] {
                gate.set(.ended)
                state.memories[owner].dropped(gate)
            }
            state.owners[shard] = index
            state.serving.remove(shard)
            guard let index else { return }
            state.lastEpoch += 1
            let identity = Identity(
                slot: index, slotEpoch: 1, incarnation: Incarnation(high: 0, low: UInt64(index)))
            let gate = ShardGate(
                shard: shard, title: Title(identity: identity, shardEpoch: state.lastEpoch),
                lease: .always)
            state.gates[shard] = gate
            state.memories[index].takeUp(gate)
            guard isServing else { return }
            for (name, record) in state.live.sorted(by: { $0.key < $1.key })
            where ObjectKey(indexEntry: name).shard == shard {
                state.memories[index].opened(gate, LiveRecord(name, record))
            }
            state.serving.insert(shard)
        }
    }

    func owner(of shard: Int, for index: Int) -> ShardOwner {
        state.withLock { state in
            guard let owner = state.owners[shard], let gate = state.gates[shard],
                let title = gate.title
            else { return .nobody }
            guard owner == index else {
                return .other(instance: "i\(owner)", address: "i\(owner):1", title: title)
            }
            return state.serving.contains(shard) ? .me(epoch: gate.epoch) : .nobody
        }
    }

    func gate(of shard: Int, for index: Int? = nil) -> ShardGate? {
        state.withLock { state in
            index == nil || state.owners[shard] == index ? state.gates[shard] : nil
        }
    }

    // MARK: Changes

    private func change(_ changes: [RecordChange]) async -> [CallResult] {
        let interruption = state.withLock { state in
            state.calls += 1
            return state.interruptions.isEmpty ? nil : state.interruptions.removeFirst()
        }
        await interruption?()
        return changes.map { change in state.withLock { Self.perform(change, in: &$0, store) } }
    }

    private static func perform(
        _ change: RecordChange, in state: inout State, _ store: InMemoryStateStore
    ) -> CallResult {
        let fault = state.fault?(change)
        let shard = ObjectKey(indexEntry: change.name).shard
        guard fault != .unavailable, state.serving.contains(shard), let gate = state.gates[shard],
            gate.mayAct, let owner = state.owners[shard]
        else { return .unavailable }
        let present = state.live[change.name]
        let base = state.stored[change.name].map {
            RecordChange.Base(uid: $0.uid, revision: $0.revision)
        }
        guard (change.kind == .create) == (present == nil),
            change.base ?? base ?? .absent == base ?? .absent
        else {
            state.refused += 1
            return .refused
        }
        state.lastNonce += 1
        let record = OwnedRecord(
            nonce: Nonce(author: Incarnation(high: 1, low: 1), counter: state.lastNonce),
            shardEpoch: gate.epoch, isTombstone: change.kind == .delete,
            uid: change.uid ?? present?.uid ?? 0, revision: change.revision,
            content: change.content)
        store.plant(
            ClusterCodec.storeKey(.record(change.name)), ClusterCodec.encode(.record(record)))
        state.log.append(change)
        state.stored[change.name] = record
        if record.isTombstone {
            state.live[change.name] = nil
            state.memories[owner].closed(gate, name: change.name)
        } else {
            state.live[change.name] = record
            state.memories[owner].opened(gate, LiveRecord(change.name, record))
        }
        return fault == nil ? .done : .unavailable
    }

    // MARK: Faults and facts

    func inject(_ fault: (@Sendable (RecordChange) -> Fault?)?) {
        state.withLock { $0.fault = fault }
    }

    /// Runs this after so many more calls have begun, before that one has any effect.
    func interrupt(afterCalls count: Int = 0, _ body: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            while state.interruptions.count < count { state.interruptions.append({}) }
            state.interruptions.append(body)
        }
    }

    /// Puts a record there that its owner knows nothing of, since it is in no index.
    func plantGarbage(_ change: RecordChange) {
        let record = OwnedRecord(
            nonce: Nonce(author: Incarnation(high: 2, low: 2), counter: 1), shardEpoch: 1,
            isTombstone: false, uid: change.uid ?? 0, revision: change.revision,
            content: change.content)
        state.withLock { $0.stored[change.name] = record }
        store.plant(
            ClusterCodec.storeKey(.record(change.name)), ClusterCodec.encode(.record(record)))
    }

    /// Changes that took effect, in order.
    var log: [RecordChange] { state.withLock { $0.log } }
    var refused: Int { state.withLock { $0.refused } }
    var calls: Int { state.withLock { $0.calls } }
    /// What is live, by index entry.
    var live: [String: OwnedRecord] { state.withLock { $0.live } }
}

extension LiveRecord {
    fileprivate init(_ name: String, _ record: OwnedRecord) {
        self.init(
            name: name, uid: record.uid, revision: record.revision, content: record.content)
    }
}

/// A name whose shard an instance of ``ShardedCluster/of(_:)`` owns.
func name(_ prefix: String, of index: Int, among count: Int = 2) -> String {
    var number = 0
    while Shards.shard(of: "\(prefix)-\(number)") % count != index { number += 1 }
    return "\(prefix)-\(number)"
}
