import ManagerCore
import Spec
import Synchronization
import TestKit
import Testing

@testable import Manager

/// What memory holds in a cluster, and who hears of it.
@Suite(.timeLimit(.minutes(1))) struct ClusterMemoryTests {
    private let mine = name("mine", of: 0)
    private let other = name("other", of: 1)

    private final class Told: Sendable {
        private let keys = Mutex<[ObjectKey]>([])
        func add(_ more: [ObjectKey]) { keys.withLock { $0 += more } }
        func take() -> [ObjectKey] {
            keys.withLock { keys in
                defer { keys = [] }
                return keys
            }
        }
    }

    /// Two instances; the keys that the first is told.
    private func pair() -> (ShardedCluster, [TwoTierStore], Told) {
        let (cluster, told) = (ShardedCluster(), Told())
        let stores = [cluster.join { told.add($0) }, cluster.join()]
        for shard in 0..<Shards.count { cluster.give(shard, to: shard % 2) }
        return (cluster, stores, told)
    }

    @Test func memoryHoldsTheOwnShardsOnly() async throws {
        let (cluster, stores, told) = pair()
        try await stores[0].put(mine, topic: "t")
        try await stores[0].put(other)
        #expect(stores[0].names == [mine] && stores[1].names == [other])
        #expect(stores[0].desired(mine)?.spec.topic == "t")
        #expect(told.take() == [.connection(mine)], "the other is not this instance's")
        #expect(cluster.live[mine]?.uid == LiveRecord.key(ofUID: "uid-\(mine)"))
        #expect(cluster.log.map(\.revision) == [1, 1])
        #expect(stores[0].epoch(of: mine) == cluster.gate(of: Shards.shard(of: mine))?.epoch)
        #expect(stores[0].epoch(of: other) == nil)
        #expect(stores[0].isServed(mine) && !stores[0].isServed(other))
    }

    @Test func aChangeMadeThroughAnotherInstanceIsToldToTheOwner() async throws {
        let (cluster, stores, told) = pair()
        try await stores[0].put(mine)
        _ = told.take()
        try await stores[1].put(mine, topic: "new")
        #expect(stores[0].desired(mine)?.spec.topic == "new")
        #expect(told.take() == [.connection(mine)])
        #expect(cluster.live[mine]?.revision == 2)
        try await stores[1].remove(mine)
        #expect(stores[0].desired(mine) == nil)
        #expect(told.take() == [.connection(mine)])
        try await stores[1].put(mine, uid: "again")
        #expect(cluster.live[mine]?.uid == LiveRecord.key(ofUID: "uid-again"))
        #expect(cluster.live[mine]?.revision == 4, "the tombstone counts")
    }

    @Test func aNameIsUsedAgainByItsOwnerWhichKnowsOfNoTombstone() async throws {
        let (cluster, stores, _) = pair()
        try await stores[0].put(mine)
        try await stores[0].remove(mine)
        try await stores[0].put(mine, uid: "again")
        #expect(stores[0].desired(mine)?.uid == .sample("again"))
        #expect(cluster.refused == 1, "asked again with the tombstone")
        #expect(cluster.log.allSatisfy { $0.base != nil }, "whatever comes late is refused")
        try await stores[1].put(mine, topic: "t")
        #expect(cluster.live[mine]?.revision == 4)
    }

    @Test func aMovedShardTakesItsRecordsAlongWithTheirStatus() async throws {
        let (cluster, stores, told) = pair()
        try await stores[1].put(other)
        let status = StoredStatus(phase: .connected, attempt: 1, published: 7)
        try await stores[1].transact(isOwnOnly: true) { draft in
            guard var record = draft.connection(other) else { return }
            record.observed = status
            draft.put(record)
        }
        cluster.give(Shards.shard(of: other), to: 0)
        #expect(stores[1].names.isEmpty && stores[0].names == [other])
        #expect(stores[0].record(other)?.observed == status)
        #expect(told.take() == [.connection(other)])
        cluster.give(Shards.shard(of: other), to: nil)
        #expect(stores[0].names.isEmpty)
        #expect(told.take() == [.connection(other)], "the loop hears that it went")
        #expect(stores[0].owner(of: other) == .nobody)
    }

    @Test func aStatusIsInMemoryAndTellsNobodyAnythingNew() async throws {
        let (cluster, stores, told) = pair()
        try await stores[0].put(mine)
        _ = told.take()
        let writer = StatusWriter(store: stores[0], logger: silent) { _ in
            StoredStatus(phase: .connected, attempt: 3, published: 9)
        }
        writer.note(mine)
        writer.note(other)
        await writer.flush()
        #expect(stores[0].record(mine)?.observed?.published == 9)
        #expect(told.take().isEmpty)
        #expect(cluster.live[mine]?.revision == 1, "a status is no change of what is desired")
        #expect(cluster.connectionsChanged == [mine, mine], "nor is it written for others")
        // What was desired meanwhile is not undone by one that was made from before.
        try await stores[1].put(mine, topic: "new")
        writer.note(mine)
        await writer.flush()
        #expect(stores[0].desired(mine)?.spec.topic == "new")
        #expect(stores[0].record(mine)?.observed?.published == 9)
    }

    @Test func statusesOfARoundAreBounded() async throws {
        let (cluster, stores, _) = pair()
        let names = (0..<Shards.count).map { "c\($0)" }.filter { Shards.shard(of: $0) % 2 == 0 }
        try #require(names.count > 60)
        try await stores[0].transact { draft in
            for name in names { draft.put(ConnectionRecord(epoch: 0, desired: .sample(name))) }
        }
        let writer = StatusWriter(store: stores[0], logger: silent, limit: 50) { _ in
            StoredStatus(phase: .connected, attempt: 1, published: 1)
        }
        for _ in 0..<10 { for name in names { writer.note(name) } }
        let before = cluster.log.count
        await writer.flush()
        #expect(cluster.log.count - before == 50)
        writer.note(names[0])
        await writer.flush()
        #expect(cluster.log.count - before == min(100, names.count), "the rest has its turn")
        while cluster.log.count - before < names.count { await writer.flush() }
        #expect(names.allSatisfy { stores[0].record($0)?.observed != nil })
    }

    @Test func aShardThatIsHandedOverHoldsUpNoOtherStatus() async throws {
        let (cluster, stores, _) = pair()
        let moving = name("moving", of: 0)
        for name in [mine, moving] { try await stores[0].put(name) }
        let writer = StatusWriter(store: stores[0], logger: silent) { _ in
            StoredStatus(phase: .connected, attempt: 1, published: 1)
        }
        cluster.give(Shards.shard(of: moving), to: 0, isServing: false)
        for name in [mine, moving, other] { writer.note(name) }
        await writer.flush()
        #expect(stores[0].record(mine)?.observed != nil)
        cluster.give(Shards.shard(of: moving), to: 0)
        await writer.flush()
        #expect(stores[0].record(moving)?.observed != nil, "it was kept for later")
    }

    // MARK: Connects without an answer

    @Test func anUnansweredConnectGoesWithItsInstance() async throws {
        let (cluster, stores, told) = pair()
        try await stores[1].put(other, isProvisional: true)
        #expect(stores[1].names == [other], "it is being answered")
        cluster.give(Shards.shard(of: other), to: 0)
        #expect(await eventually { cluster.names.isEmpty })
        #expect(told.take().isEmpty, "the new owner never dials it")
        #expect(stores[0].names.isEmpty)
    }

    @Test func anAnsweredConnectStays() async throws {
        let (cluster, stores, _) = pair()
        try await stores[1].put(other, isProvisional: true)
        #expect(await stores[1].confirm(other))
        cluster.give(Shards.shard(of: other), to: 0)
        #expect(stores[0].names == [other])
        #expect(stores[0].desired(other)?.isProvisional == false)
    }

    @Test func aConnectThatCameAboutThoughItsCallerWasToldNoIsRemoved() async throws {
        let (cluster, stores, _) = pair()
        cluster.inject { $0.kind == .create ? .unavailableButApplied : nil }
        let told = await failure { try await stores[0].put(mine, isProvisional: true) }
        #expect(told?.contains("the change may be in effect") == true)
        #expect(await eventually { cluster.names.isEmpty })
        // The same where it was asked of another owner.
        _ = await failure { try await stores[0].put(other, isProvisional: true) }
        #expect(await eventually { cluster.names.isEmpty })
    }

    @Test func aRecordThatCannotBeReadIsNotServedAndSaysWhy() async throws {
        let (cluster, stores, told) = pair()
        _ = await ShardedCluster.Member(cluster: cluster, index: 0).change([
            RecordChange(
                name: mine, kind: .create, revision: 1, uid: 1, content: Array("{}".utf8))
        ])
        #expect(stores[0].names.isEmpty && told.take().isEmpty)
        let sentence = await failure { _ = try await stores[0].find(connection: mine) }
        #expect(sentence?.contains("wsm/conn/\(mine)") == true)
    }

    @Test func namesAreDrawnFromTheOwnShards() async throws {
        let cluster = ShardedCluster()
        let stores = [cluster.join(), cluster.join()]
        var generator = SplitMix64(seed: 7)
        #expect(stores[0].drawName(using: &generator) == nil)
        cluster.give(5, to: 0)
        for _ in 0..<3 {
            let drawn = try #require(stores[0].drawName(using: &generator))
            #expect(Shards.shard(of: drawn) == 5)
        }
    }
}

extension ShardedCluster {
    fileprivate var connectionsChanged: [String] { log.map(\.name) }
}
