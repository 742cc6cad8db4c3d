import ManagerCore
import Spec
import Synchronization
import TestKit
import Testing

@testable import Manager

/// Changes of several records at several owners, while others make theirs.
@Suite(.timeLimit(.minutes(1))) struct ClusterCommitterTests {
    private let a = name("a", of: 0)
    private let b = name("b", of: 1)
    private let c = name("c", of: 0)

    @Test func aSetIsWrittenFirstAndItsMembersAtTheirOwners() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        let outcome = try await stores[0].apply(connection(a), connection(b))
        #expect(outcome.count(.created) == 2)
        #expect(cluster.log.first?.name == "set/s")
        #expect(cluster.names == [a, b, "set/s"].sorted())
        #expect(stores[0].names == [a] && stores[1].names == [b])
        let again = try await stores[1].apply(connection(a), connection(b))
        #expect(again.changesNothing && again.revision == 1)
        #expect(cluster.log.count == 3, "what is there is not written again")
    }

    @Test func ofTwoCoordinatorsOfOneSetTheLaterStartsFromTheEarlier() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        cluster.interrupt { [c] in
            let first = try? await stores[1].apply(connection(c))
            #expect(first?.revision == 1)
        }
        let second = try await stores[0].apply(connection(a), connection(b))
        #expect(second.baseRevision == 1 && second.revision == 2)
        #expect(second.lines.sorted() == ["\(a) created", "\(b) created", "\(c) pruned"])
        #expect(cluster.names == [a, b, "set/s"].sorted())
        #expect(try cluster.set()?.history.map(\.summary).count == 2)
    }

    @Test func whoWasAskedForARevisionThatIsGoneChangesNothing() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        cluster.interrupt { [c] in _ = try? await stores[1].apply(connection(c)) }
        let sentence = await failure {
            try await stores[0].apply(connection(a)) { $0.ifRevision = 0 }
        }
        #expect(sentence?.hasPrefix("ApplyAborted: set s is at revision 1") == true)
        #expect(cluster.names == [c, "set/s"])
    }

    @Test func aRefusedMemberIsDecidedAnewAndTheCallerIsToldTheWhole() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].apply(connection(a), connection(b))
        let uids = try (cluster.connection(a)?.desired.uid, cluster.connection(b)?.desired.uid)
        // Between the set's record and its members somebody sets a tag.
        cluster.interrupt(afterCalls: 1) { [b] in try? await stores[1].tag(b, "k", "v") }
        let outcome = try await stores[0].apply(
            connection(a, topic: "new"), connection(b, topic: "new"), connection(c)
        ) {
            $0.ifRevision = 1
        }
        #expect(cluster.refused == 1)
        #expect(
            outcome.lines.sorted() == ["\(a) configured", "\(b) configured", "\(c) created"])
        #expect(outcome.baseRevision == 1 && outcome.revision == 2)
        let changed = try #require(try cluster.connection(b)?.desired)
        #expect(changed.spec.topic == "new" && changed.overlay.labels == ["k": "v"])
        #expect(changed.uid == uids.1 && stores[0].desired(a)?.uid == uids.0)
        #expect(outcome.results.first { $0.name == c }?.uid == stores[0].desired(c)?.uid.rawValue)
        #expect(cluster.log.filter { $0.name == "set/s" }.count == 2, "its record stood already")
        #expect(cluster.log.filter { $0.name == a }.count == 2, "so did the other member's")
    }

    @Test func whatARunDidThatTheNextDoesNotIsUndone() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].put(b)
        cluster.interrupt { [b] in try? await stores[1].put(b, topic: "stop") }
        try await stores[0].transact { [a, b] draft in
            guard var record = draft.connection(b) else { return }
            if record.desired.spec.topic != "stop" {
                draft.put(ConnectionRecord(epoch: 0, desired: .sample(a)))
            }
            record.desired.overlay.topic = "x"
            draft.put(record)
        }
        #expect(cluster.names == [b])
        #expect(try cluster.connection(b)?.desired.overlay.topic == "x")
    }

    // MARK: Overtaken

    @Test func aSetThatMovedOnIsAppliedOnceMoreOnTop() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].apply(connection(a), connection(b))
        cluster.interrupt(afterCalls: 1) { [a, b] in
            // Sees revision 2, but none of its members yet.
            let other = try? await stores[1].apply(
                connection(a, topic: "theirs"), connection(b, topic: "theirs"))
            #expect(other?.revision == 3)
        }
        let outcome = try await stores[0].apply(
            connection(a, topic: "ours"), connection(b, topic: "ours"))
        #expect(outcome.revision == 4 && outcome.count(.configured) == 2)
        for name in [a, b] { #expect(try cluster.connection(name)?.desired.spec.topic == "ours") }
    }

    /// The other coordinator leaves a member as it sees it, which the first is just about to change.
    @Test func aMemberThatTheLaterRevisionDidNotTouchIsNoMixture() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].apply(connection(a))
        cluster.interrupt(afterCalls: 1) { [a, b] in
            let other = try? await stores[1].apply(connection(a), connection(b))
            #expect(other?.revision == 3)
        }
        let outcome = try await stores[0].apply(connection(a, topic: "ours"))
        #expect(cluster.refused == 0, "nobody saw it but the one who looked at the set again")
        #expect(outcome.revision == 4)
        #expect(cluster.names == [a, "set/s"])
        #expect(try cluster.connection(a)?.desired.spec.topic == "ours")
        #expect(try cluster.set()?.history.last?.number == 4)
    }

    @Test func whoMayNotGoOnAfterwardsIsToldSo() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[0].apply(connection(a))
        cluster.interrupt(afterCalls: 1) { [a] in
            _ = try? await stores[1].apply(connection(a, topic: "theirs"))
        }
        let sentence = await failure {
            try await stores[0].apply(connection(a, topic: "ours")) { $0.ifRevision = 1 }
        }
        #expect(sentence?.hasPrefix("Contended: a part of the change took effect") == true)
        #expect(sentence?.contains("set s is at revision 3") == true)
    }

    @Test func afterFiveTriesItEnds() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        try await stores[1].put(b)
        for step in 0..<ClusterCommitter.tries {
            cluster.interrupt(afterCalls: 2 * step) { [b] in
                try? await stores[1].put(b, topic: "t\(step)")
            }
        }
        let sentence = await failure { try await stores[0].tag(b, "k", "v") }
        #expect(cluster.refused == ClusterCommitter.tries)
        #expect(sentence?.contains("5 times") == true)
        #expect(sentence?.contains("the last time at connection \(b)") == true)
        try await stores[0].tag(b, "k", "v")
        #expect(stores[1].desired(b)?.overlay.labels == ["k": "v"])
    }

    // MARK: Unavailable

    @Test func anApplyThatIsCutOffSaysSoAndTheNextOneHealsIt() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        cluster.inject { [b] in $0.name == b ? .unavailable : nil }
        let sentence = await failure { try await stores[0].apply(connection(a), connection(b)) }
        #expect(
            sentence
                == "NotCommitted: 2 of 3 changes are in effect; connection \(b) could not be "
                + "changed by its owner in time, and what follows was not tried: make the same "
                + "change again to complete it")
        #expect(cluster.names == [a, "set/s"])
        cluster.inject(nil)
        let outcome = try await stores[1].apply(connection(a), connection(b))
        #expect(outcome.lines.sorted() == ["\(a) unchanged", "\(b) created"])
        #expect(outcome.revision == 2)
        #expect(try cluster.set()?.connections == [a, b])
        #expect(stores[1].names == [b])
    }

    @Test func whatTookEffectUnheardIsFoundUnchanged() async throws {
        let (cluster, stores) = ShardedCluster.of(2)
        cluster.inject { _ in .unavailableButApplied }
        let sentence = await failure { try await stores[0].apply(connection(a), connection(b)) }
        #expect(sentence?.contains("NotCommitted: 0 of 3 changes are in effect; set s") == true)
        cluster.inject { $0.name == "set/s" ? nil : .unavailableButApplied }
        _ = await failure { try await stores[0].apply(connection(a), connection(b)) }
        cluster.inject(nil)
        let outcome = try await stores[0].apply(connection(a), connection(b))
        #expect(outcome.changesNothing)
        #expect(cluster.names == [a, b, "set/s"].sorted())
    }

    @Test func aShardThatIsHandedOverIsWaitedFor() async throws {
        let (cluster, stores) = ShardedCluster.of(2, patience: .seconds(30))
        let left = Mutex(3)
        cluster.inject { [b] change in
            guard change.name == b else { return nil }
            return left.withLock { left in
                left -= 1
                return left >= 0 ? .unavailable : nil
            }
        }
        let outcome = try await stores[0].apply(connection(a), connection(b))
        #expect(outcome.count(.created) == 2 && outcome.revision == 1)
        #expect(cluster.log.map(\.name).sorted() == [a, b, "set/s"].sorted())
    }

    @Test func aRepeatedChangeThatHadTakenEffectIsDone() async throws {
        let (cluster, stores) = ShardedCluster.of(2, patience: .seconds(30))
        let heard = Mutex<Set<String>>([])
        cluster.inject { change in
            heard.withLock { $0.insert(change.name).inserted } ? .unavailableButApplied : nil
        }
        let outcome = try await stores[0].apply(connection(a), connection(b))
        #expect(outcome.count(.created) == 2 && outcome.revision == 1)
        #expect(cluster.refused == 3, "each was asked for twice, and made once")
        heard.withLock { $0 = [] }
        let pruned = try await stores[1].apply(connection(b))
        #expect(pruned.count(.pruned) == 1 && pruned.revision == 2)
        #expect(cluster.names == [b, "set/s"])
    }

    @Test func beforeTheClusterIsJoinedNothingIsChanged() async throws {
        let clustered = TwoTierStore.clustered(
            InMemoryStateStore(), epoch: 1, logger: silent, onChange: { _ in })
        let sentence = await failure { try await clustered.store.put("x") }
        #expect(sentence == "NotCommitted: this instance has not joined the cluster")
    }

    // MARK: Many at once

    @Test func changesOfOneProcessWaitForEachOther() async throws {
        let (_, stores) = ShardedCluster.of(2)
        try await stores[0].put(b)
        await withTaskGroup { group in
            for number in 0..<30 {
                group.addTask { [b] in
                    await #expect(throws: Never.self) {
                        try await stores[0].tag(b, "k\(number)", "v")
                    }
                }
            }
        }
        #expect(stores[1].desired(b)?.overlay.labels.count == 30)
    }

    @Test func changesThatTravelTogetherAreBoundedInNumberAndBytes() {
        func steps(_ count: Int, bytes: Int) -> [ChangePlan.Step] {
            (0..<count).map { number in
                let desired = DesiredConnection.sample("n\(number)") {
                    $0.url = "ws://h/?q=" + String(repeating: "x", count: bytes)
                }
                return ChangePlan.Step(
                    key: .connection("n\(number)"), from: .nothing,
                    to: .connection(ConnectionRecord(epoch: 0, desired: desired)))
            }
        }
        let (most, bytes) = (ClusterCommitter.changesPerCall, ClusterCommitter.bytesPerCall)
        #expect(ClusterCommitter.groups([]).isEmpty)
        #expect(
            ClusterCommitter.groups(steps(2 * most + 1, bytes: 1)).map(\.count) == [most, most, 1])
        let large = steps(7, bytes: bytes / 4)
        let groups = ClusterCommitter.groups(large)
        #expect(groups.map(\.count) == [3, 3, 1])
        #expect(groups.allSatisfy { $0.reduce(0) { $0 + $1.content.count } <= bytes })
        #expect(groups.flatMap { $0.map(\.key) } == large.map(\.key))
        let beyond = steps(2, bytes: bytes)
        #expect(ClusterCommitter.groups(beyond).map(\.count) == [1, 1], "each goes alone")
    }

    /// Counters that everybody raises, while shards move: what was acknowledged is counted once.
    @Test(arguments: 1...10) func whatIsAcknowledgedIsInEffectOnce(seed: UInt64) async throws {
        let (cluster, stores) = ShardedCluster.of(3)
        var random = SplitMix64(seed: seed)
        let names = (0..<4).map { "n\($0)-\(seed)" }
        for name in names { try await stores[0].put(name) }
        let told = await withTaskGroup(of: [String].self) { group in
            for _ in 0..<60 {
                let store = stores[Int.random(in: 0..<3, using: &random)]
                let name = names[Int.random(in: 0..<4, using: &random)]
                let pair = Int.random(in: 0..<4, using: &random) == 0 ? names : [name]
                group.addTask { await Self.raise(pair, store) ? pair : [] }
                if Int.random(in: 0..<6, using: &random) == 0 {
                    let shard = Shards.shard(of: name)
                    let heir = Int.random(in: 0..<3, using: &random)
                    group.addTask {
                        cluster.give(shard, to: heir)
                        return []
                    }
                }
            }
            return await group.reduce(into: [String: Int]()) { told, names in
                for name in names { told[name, default: 0] += 1 }
            }
        }
        for name in names {
            let count = try #require(try cluster.connection(name)).desired.generation - 1
            #expect(Int(count) >= told[name] ?? 0, "lost an acknowledged change")
            let owners = stores.filter { $0.desired(name) != nil }
            #expect(owners.count == 1)
            #expect(owners.first?.desired(name)?.generation == count + 1, "memory is the store")
        }
        let total = told.values.reduce(0, +)
        #expect(total > 20, "most changes come about")
    }

    private static func raise(_ names: [String], _ store: TwoTierStore) async -> Bool {
        do {
            try await store.transact { draft in
                for name in names {
                    guard var record = draft.connection(name) else {
                        throw ManagerError.connectionNotFound
                    }
                    record.desired.generation += 1
                    draft.put(record)
                }
            }
            return true
        } catch {
            return false
        }
    }
}
