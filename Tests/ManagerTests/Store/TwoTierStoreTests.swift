import ManagerCore
import Reconciler
import Spec
import Synchronization
import TestKit
import Testing

@testable import Manager

@Suite(.timeLimit(.minutes(1))) struct TwoTierStoreTests {
    private struct Refused: Error {}

    // MARK: Open

    @Test func theEpochRisesOverEveryRestart() async throws {
        let store = InMemoryStateStore()
        let first = try await TwoTierStore.opened(store)
        #expect(first.epoch == 1_767_225_600, "at least the Unix time")
        let second = try await TwoTierStore.opened(store.reopened())
        #expect(second.epoch == first.epoch + 1)
        let backwards = store.reopened()
        let third = try await TwoTierStore.opened(
            backwards, now: WallTime(nanosecondsSinceEpoch: 5))
        #expect(third.epoch == first.epoch + 1, "a clock that went back does not matter")
        let ahead = try await TwoTierStore.opened(
            backwards.reopened(),
            now: WallTime(nanosecondsSinceEpoch: 1_800_000_000_000_000_000))
        #expect(ahead.epoch == 1_800_000_000)
    }

    @Test func everyRecordCarriesTheEpochItWasWrittenUnder() async throws {
        let store = InMemoryStateStore()
        let first = try await TwoTierStore.opened(store)
        try await first.put("a")
        #expect(first.record("a")?.epoch == first.epoch)
        let second = try await TwoTierStore.opened(store)
        #expect(second.record("a")?.epoch == first.epoch)
        try await second.put("a", topic: "t")
        #expect(second.record("a")?.epoch == second.epoch)
    }

    @Test func recordsSurviveARestart() async throws {
        let store = InMemoryStateStore()
        let first = try await TwoTierStore.opened(store)
        try await first.put("a", topic: "trades")
        try await first.put("b")
        let second = try await TwoTierStore.opened(store.reopened())
        #expect(second.names == ["a", "b"])
        #expect(second.desired("a") == first.desired("a"))
    }

    @Test func theFactsForAResyncAreThoseOfTheRecords() async throws {
        func expectSame(_ store: TwoTierStore) {
            var facts: [String: DesiredFacts] = [:]
            store.desiredTable().forEach { name, _, record in facts[name] = record }
            let records = store.names.compactMap { name in
                store.desired(name).map { (name, DesiredFacts($0)) }
            }
            #expect(facts == Dictionary(uniqueKeysWithValues: records))
        }
        let stored = InMemoryStateStore()
        let store = try await TwoTierStore.opened(stored)
        for name in ["a", "b", "c", "d"] { try await store.put(name) }
        try await store.put("waits", isProvisional: true)
        try await store.put("a", topic: "trades")
        _ = await store.spendDial("b")
        try await store.transact { $0.removeConnection("c") }
        expectSame(store)
        #expect(store.desiredTable()["waits"]?.isProvisional == true)
        _ = await store.confirm("waits")
        expectSame(store)
        expectSame(try await TwoTierStore.opened(stored.reopened()))
        #expect(store.desiredTable().count == 4)
    }

    /// A fleet of 100,000 from one template holds its settings once.
    @Test func recordsWithTheSameSettingsShareThem() async throws {
        let store = InMemoryStateStore()
        let first = try await TwoTierStore.opened(store)
        try await first.put("a", topic: "trades")
        try await first.put("b")
        for tier in [first, try await TwoTierStore.opened(store.reopened())] {
            let one = try #require(tier.desired("a")?.spec)
            let other = try #require(tier.desired("b")?.spec)
            #expect(one.settings === other.settings)
            #expect(one != other)
        }
    }

    @Test func anUnansweredConnectIsRemovedAtOpen() async throws {
        let store = InMemoryStateStore()
        let first = try await TwoTierStore.opened(store)
        try await first.put("answered")
        try await first.put("unanswered", isProvisional: true)
        let second = try await TwoTierStore.opened(store)
        #expect(second.names == ["answered"])
        let third = try await TwoTierStore.opened(store)
        #expect(third.names == ["answered"])
    }

    @Test func aStoreOfAnotherVersionIsRefusedWithASentence() async throws {
        let store = InMemoryStateStore()
        store.plant("wsm/meta", Array(#"{"v":2,"shards":256,"hash":"fnv1a64"}"#.utf8))
        do {
            _ = try await TwoTierStore.opened(store)
            Issue.record("version 2 was opened")
        } catch let error as StateStoreError {
            #expect(error.message.contains("version 2"))
            #expect(error.message.contains("reads version 1"))
        }
    }

    @Test func aStoreThatIsDownIsNotOpened() async {
        let store = InMemoryStateStore()
        store.isDown = true
        await #expect(throws: StateStoreError.self) { try await TwoTierStore.opened(store) }
    }

    // MARK: Transactions

    @Test func aChangeIsToldOnceAfterMemoryHasIt() async throws {
        let store = InMemoryStateStore()
        let told = Mutex<[[ObjectKey]]>([])
        let box = Mutex<TwoTierStore?>(nil)
        let opened = try await TwoTierStore.opened(store) { keys in
            let isThere = box.withLock { $0?.desired("a") != nil }
            #expect(isThere, "told before memory had it")
            told.withLock { $0.append(keys) }
        }
        box.withLock { $0 = opened }
        try await opened.put("a")
        #expect(told.withLock { $0 } == [[.connection("a")]])
        try await opened.transact(tells: false) { draft in
            guard let record = draft.connection("a") else { return }
            draft.put(record)
        }
        try await opened.transact { _ in }
        #expect(told.withLock { $0.count } == 1)
        box.withLock { $0 = nil }
    }

    @Test func aRefusingBodyLeavesTheOthersOfItsCommitAlone() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        store.holdWrites()
        async let first: Void = opened.put("first")
        // Everything below waits for the first commit and shares the next.
        async let second: Void = opened.put("second")
        async let refused: Void = opened.transact { draft in
            draft.put(ConnectionRecord(epoch: 0, desired: .sample("half")))
            throw Refused()
        }
        async let third: Void = opened.put("third")
        await Task.yield()
        store.releaseWrites()
        try await first
        try await second
        try await third
        do {
            try await refused
            Issue.record("a refusing body was committed")
        } catch {
            #expect(error is Refused)
        }
        #expect(opened.names == ["first", "second", "third"])
        #expect(try await TwoTierStore.opened(store.reopened()).names == opened.names)
    }

    @Test func everyBodySeesWhatThoseBeforeItChanged() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await opened.put("counter", topic: "0")
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try? await opened.transact { draft in
                        guard var record = draft.connection("counter"),
                            let count = Int(record.desired.spec.topic ?? "")
                        else { return }
                        record.desired.spec.topic = "\(count + 1)"
                        draft.put(record)
                    }
                }
            }
        }
        #expect(opened.desired("counter")?.spec.topic == "200")
        #expect(
            try await TwoTierStore.opened(store.reopened()).desired("counter")?.spec.topic == "200")
        #expect(store.writeCalls < 150, "changes that wait share a commit: \(store.writeCalls)")
    }

    @Test func oneCallersChangesAreCommittedInTheirOrder() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        for number in 0..<20 { try await opened.put("a", topic: "t\(number)") }
        let written = store.log.filter { $0.key == "wsm/conn/a" }.compactMap { write in
            write.value.flatMap { try? RecordCodec.decodeConnection($0, key: "a") }
        }
        #expect(written.map(\.desired.spec.topic) == (0..<20).map { "t\($0)" })
    }

    // MARK: Names

    @Test func aDeletedNameLeavesATombstoneAndCanBeUsedAgain() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await opened.put("a", uid: "first")
        try await opened.remove("a")
        #expect(opened.desired("a") == nil)
        #expect(store.entries["wsm/conn/a"].map { RecordCodec.isTombstone($0.value) } == true)
        #expect(try await TwoTierStore.opened(store.reopened()).names.isEmpty == true)

        try await opened.put("a", uid: "second")
        #expect(opened.desired("a")?.uid == .sample("second"))
        let reopened = try await TwoTierStore.opened(store.reopened())
        #expect(reopened.desired("a")?.uid == .sample("second"))
        try await reopened.remove("a")
        try await reopened.put("a", uid: "third")
        #expect(reopened.desired("a")?.uid == .sample("third"))
    }

    @Test func aNameThatIsRemovedAndMadeInOneChangeIsTheNewOne() async throws {
        let opened = try await TwoTierStore.opened(InMemoryStateStore())
        try await opened.put("a", uid: "first")
        try await opened.transact { draft in
            draft.removeConnection("a")
            draft.put(ConnectionRecord(epoch: 0, desired: .sample("a", uid: "second")))
        }
        #expect(opened.desired("a")?.uid == .sample("second"))
        try await opened.put("a", uid: "second", topic: "t")
        #expect(opened.desired("a")?.spec.topic == "t")
    }

    @Test func whatNeverWasIsRemovedWithoutAWrite() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        let before = store.log.count
        try await opened.remove("nobody")
        try await opened.transact { draft in
            draft.put(ConnectionRecord(epoch: 0, desired: .sample("brief")))
            draft.removeConnection("brief")
        }
        #expect(store.log.count == before)
        #expect(opened.names.isEmpty)
    }

    @Test func moreNamesThanAPageTakesMakeASecondPage() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        let names = namesOfOneShard(Shards.namesPerPage + 20)
        let shard = Shards.shard(of: names[0])
        try await opened.transact { draft in
            for name in names { draft.put(ConnectionRecord(epoch: 0, desired: .sample(name))) }
        }
        #expect(store.entries[Shards.pageKey(shard, 0)] != nil)
        #expect(store.entries[Shards.pageKey(shard, 1)] != nil)
        #expect(store.entries[Shards.pageKey(shard, 2)] == nil)
        let first = try #require(store.entries[Shards.pageKey(shard, 0)])
        #expect(try RecordCodec.decodePage(first.value, key: "").count == Shards.namesPerPage)
        let copy = store.reopened()
        let reopened = try await TwoTierStore.opened(copy)
        #expect(reopened.names == names.sorted())

        // A place that became free is used again before a third page is made.
        try await reopened.remove(names[0], names[1])
        try await reopened.put(namesOfOneShard(Shards.namesPerPage + 22)[Shards.namesPerPage + 20])
        #expect(reopened.names.count == names.count - 1)
        #expect(copy.entries[Shards.pageKey(shard, 2)] == nil)
        #expect(try await TwoTierStore.opened(copy).names.count == names.count - 1)
    }

    @Test func kindsWithOneNameAreApart() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await opened.transact { draft in
            draft.put(ConnectionRecord(epoch: 0, desired: .sample("same")))
            draft.put(
                ConnectionSetRecord(
                    epoch: 0, name: "same", uid: "u", generation: 1, createdAt: someTime,
                    keeper: .grpc, labels: [:], annotations: [:], canonical: [], digest: "d",
                    members: ["x"]))
            draft.put(ApplySetRecord(epoch: 0, name: "same", uid: "s"))
        }
        let reopened = try await TwoTierStore.opened(store.reopened())
        #expect(reopened.names == ["same"])
        #expect(reopened.connectionSet("same")?.members == ["x"])
        #expect(reopened.applySet("same")?.uid == "s")
        try await reopened.transact { $0.removeConnectionSet("same") }
        #expect(reopened.connectionSet("same") == nil)
        #expect(reopened.names == ["same"])
    }

    // MARK: What the loop writes

    @Test func aSpentDialIsCommittedBeforeItIsAnswered() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await opened.put("a")
        let committed = await opened.spendDial("a")
        #expect(committed?.spentDialRevision == 1)
        #expect(try await TwoTierStore.opened(store.reopened()).desired("a") == committed)
        #expect(await opened.spendDial("nobody") == nil)
        store.isDown = true
        #expect(await opened.spendDial("a") == nil)
    }

    @Test func confirmAndDiscardActOnUnansweredConnectsOnly() async throws {
        let opened = try await TwoTierStore.opened(InMemoryStateStore())
        try await opened.put("answered")
        try await opened.put("yes", isProvisional: true)
        try await opened.put("no", isProvisional: true)
        #expect(await opened.discard("answered"))
        #expect(await opened.confirm("yes"))
        #expect(await opened.discard("yes"))
        #expect(await opened.discard("no"))
        #expect(await opened.discard("nobody"))
        #expect(opened.names == ["answered", "yes"])
        #expect(opened.desired("yes")?.isProvisional == false)
    }
}
