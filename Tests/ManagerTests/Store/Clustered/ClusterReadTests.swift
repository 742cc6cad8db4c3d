import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

/// Reads in a cluster: memory under an open title, else the store.
@Suite(.timeLimit(.minutes(1))) struct ClusterReadTests {
    private let mine = name("mine", of: 0)
    private let other = name("other", of: 1)

    @Test func ownRecordsAreReadWithoutTheStore() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].put(mine, topic: "t")
        cluster.store.isDown = true
        #expect(try await stores[0].find(connection: mine)?.desired.spec.topic == "t")
        let topic = try await stores[0].transact { $0.connection(mine)?.desired.spec.topic }
        #expect(topic == "t")
        let sentence = await failure { _ = try await stores[0].find(connection: other) }
        #expect(sentence?.contains("NotReadable: the state store cannot be read") == true)
        let change = await failure { try await stores[0].put(other) }
        #expect(change?.contains("NotCommitted: the state store cannot be read") == true)
    }

    @Test func recordsOfOthersAreReadFromTheStore() async throws {
        let (_, stores) = ShardedCluster.of(2)
        try await stores[0].apply(connection(mine), connection(other), connectionSet("m", ["w"]))
        for store in stores {
            #expect(try await store.find(connection: mine)?.desired.name == mine)
            #expect(try await store.find(connection: other)?.desired.name == other)
            #expect(try await store.find(connectionSet: "m")?.members == ["w"])
            #expect(try await store.find(applySet: "s")?.revision == 1)
            #expect(try await store.find(connection: "nobody") == nil)
        }
        try await stores[0].remove(other)
        #expect(try await stores[0].find(connection: other) == nil, "a tombstone is nothing")
    }

    @Test func aPlanSeesTheRecordsOfOthersAndChangesNothing() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].apply(connection(mine), connection(other))
        let before = cluster.log.count
        for store in stores {
            let plan = try await store.apply(connection(other, topic: "new")) {
                $0.isDryRun = true
            }
            #expect(plan.baseRevision == 1)
            #expect(plan.lines.sorted() == ["\(mine) pruned", "\(other) configured"])
        }
        #expect(cluster.log.count == before)
    }

    @Test func withoutAnOpenTitleTheStoreIsAsked() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].put(mine, topic: "in-memory")
        let record = try #require(try cluster.connection(mine))
        var later = record
        later.desired.spec.topic = "in-store"
        cluster.plantGarbage(
            RecordChange(
                name: mine, kind: .change, revision: 9, uid: 1,
                content: RecordCodec.encode(later)))
        #expect(try await stores[0].find(connection: mine)?.desired.spec.topic == "in-memory")
        cluster.gate(of: Shards.shard(of: mine))?.set(.frozen)
        #expect(try await stores[0].find(connection: mine)?.desired.spec.topic == "in-store")
        let read = try await stores[0].transact { $0.connection(mine)?.desired.spec.topic }
        #expect(read == "in-store")
        #expect(stores[0].desired(mine)?.spec.topic == "in-memory", "the loop looks at its own")
        let sentence = await failure { try await stores[0].tag(mine, "k", "v") }
        #expect(sentence?.contains("NotCommitted") == true)
    }

    @Test func aShardThatIsBeingLoadedIsReadFromTheStore() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].put(mine, topic: "t")
        cluster.give(Shards.shard(of: mine), to: 1, isServing: false)
        #expect(stores[1].names.isEmpty)
        #expect(try await stores[1].find(connection: mine)?.desired.spec.topic == "t")
        let exists = try await stores[1].transact { $0.connection(mine) != nil }
        #expect(exists, "not taken for absent, which would make it anew")
        #expect(!stores[1].isServed(mine))
    }

    @Test func whatBelongsToAnotherIsNotThereForTheLoop() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].put(other)
        let before = cluster.log.count
        #expect(await stores[0].spendDial(other) == nil)
        #expect(await stores[0].confirm(other))
        #expect(await stores[0].discard(other))
        #expect(cluster.log.count == before)
        // Its title is gone, but it has not heard yet that the shard is frozen.
        try await stores[0].put(mine)
        cluster.give(Shards.shard(of: mine), to: 0, isServing: false)
        #expect(await stores[0].spendDial(mine) == nil)
    }

    @Test func aRecordThatItsOwnerDoesNotKnowIsNothing() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        let record = ConnectionRecord(epoch: 0, desired: .sample(other, uid: "old"))
        cluster.plantGarbage(
            RecordChange(
                name: other, kind: .create, revision: 4, uid: 1,
                content: RecordCodec.encode(record)))
        try await stores[0].put(other, uid: "new")
        #expect(stores[1].desired(other)?.uid == .sample("new"))
        #expect(cluster.refused == 1)
    }

    @Test func manyForeignRecordsAreReadInBulk() async throws {
        let (_, stores) = ShardedCluster.of(2)
        let names = (0..<1_500).map { "bulk-\($0)" }
        try await stores[0].transact { draft in
            for name in names { draft.put(ConnectionRecord(epoch: 0, desired: .sample(name))) }
        }
        #expect(stores[0].names.count + stores[1].names.count == 1_500)
        let found = try await stores[1].transact { draft in
            names.count { draft.connection($0) != nil }
        }
        #expect(found == 1_500)
    }
}
