import ManagerCore
import Spec
import Synchronization
import TestKit
import Testing

@testable import Manager

/// What happens to a change when the store fails in the middle of it.
@Suite(.timeLimit(.minutes(1))) struct TwoTierStoreFaultTests {
    // MARK: Unknown outcomes

    @Test func aLostAnswerIsResolvedByReading() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        store.inject { _ in .unknownButApplied }
        try await opened.put("a", topic: "t1")
        store.inject(nil)
        #expect(opened.desired("a")?.spec.topic == "t1")
        try await opened.put("a", topic: "t2")
        #expect(
            try await TwoTierStore.opened(store.reopened()).desired("a")?.spec.topic == "t2")
    }

    @Test func aWriteThatDidNotHappenIsNotCommittedAndMemoryIsUntouched() async throws {
        let store = InMemoryStateStore()
        let told = Mutex(0)
        let opened = try await TwoTierStore.opened(store) { _ in told.withLock { $0 += 1 } }
        try await opened.put("a", topic: "before")
        let before = opened.record("a")
        store.inject { _ in .unknownNotApplied }
        await #expect(throws: TwoTierStore.NotCommitted.self) {
            try await opened.put("a", topic: "after")
        }
        await #expect(throws: TwoTierStore.NotCommitted.self) { try await opened.put("b") }
        await #expect(throws: TwoTierStore.NotCommitted.self) { try await opened.remove("a") }
        #expect(opened.record("a") == before)
        #expect(opened.names == ["a"])
        #expect(told.withLock { $0 } == 1, "nobody is told of what did not happen")
    }

    @Test func anotherWriterIsNoticed() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await opened.put("a")
        let other = try await TwoTierStore.opened(store)
        try await other.put("a", topic: "theirs")
        do {
            try await opened.put("a", topic: "ours")
            Issue.record("two writers of one record")
        } catch let error as TwoTierStore.NotCommitted {
            #expect(error.description.contains("wsm/conn/a"))
        }
        #expect(opened.desired("a")?.spec.topic == nil)
    }

    // MARK: Going on after a fault

    @Test func theStoreGoesOnAfterAnOutage() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await opened.put("a", topic: "1")
        store.isDown = true
        await #expect(throws: TwoTierStore.NotCommitted.self) {
            try await opened.put("a", topic: "2")
        }
        store.isDown = false
        try await opened.put("a", topic: "3")
        try await opened.put("b")
        #expect(opened.desired("a")?.spec.topic == "3")
        #expect(try await TwoTierStore.opened(store.reopened()).names == ["a", "b"])
    }

    /// A commit that took effect in part must not wedge what it touched.
    @Test(arguments: 1...6)
    func aChangeThatTookEffectInPartCanBeFollowedByAnyOther(_ applied: Int) async throws {
        let names = namesOfOneShard(4, prefix: "part")
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await opened.put(names[0], topic: "before")
        let left = Mutex(applied)
        store.inject { _ in
            left.withLock { left in
                left -= 1
                return left >= 0 ? nil : .unknownNotApplied
            }
        }
        // Page, then the three records.
        await #expect(throws: TwoTierStore.NotCommitted.self) {
            try await opened.transact { draft in
                for name in names.prefix(3) {
                    draft.put(
                        ConnectionRecord(
                            epoch: 0,
                            desired: .sample(name, uid: "refused") { $0.topic = "refused" }))
                }
                draft.put(ApplySetRecord(epoch: 0, name: "s", uid: "s"))
            }
        }
        store.inject(nil)
        #expect(opened.desired(names[0])?.spec.topic == "before")
        #expect(opened.names == [names[0]])

        try await opened.put(names[3])
        try await opened.put(names[0], topic: "after")
        try await opened.put(names[1], uid: "again")
        #expect(opened.names == [names[0], names[1], names[3]].sorted())
        let reopened = try await TwoTierStore.opened(store.reopened())
        #expect(reopened.names == opened.names, "what was refused does not come back")
        #expect(reopened.desired(names[0])?.spec.topic == "after")
        #expect(reopened.desired(names[1])?.uid == .sample("again"))
    }

    @Test func aFailedTidyingOfTheIndexIsHarmless() async throws {
        let names = namesOfOneShard(3, prefix: "tidy")
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        for name in names { try await opened.put(name) }
        store.inject { $0.key.contains("/page/") ? .unknownNotApplied : nil }
        try await opened.remove(names[0])
        store.inject { $0.key.contains("/page/") ? .unknownButApplied : nil }
        try await opened.remove(names[1])
        store.inject(nil)
        #expect(opened.names == [names[2]])
        try await opened.put(names[0], uid: "again")
        try await opened.remove(names[2])
        #expect(try await TwoTierStore.opened(store.reopened()).names == [names[0]])
    }

    // MARK: Crashes

    /// The process dies after each possible number of writes: all that was acknowledged is there
    /// after the restart, whole, and the index names every record.
    @Test(arguments: 0..<60)
    func nothingAcknowledgedIsLostAtAnyCrashPoint(_ crashAfter: Int) async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        store.goDown(afterWrites: crashAfter)
        let (acknowledged, inDoubt) = await story(opened)

        let after = store.reopened()
        let reopened = try await TwoTierStore.opened(after)
        for (name, topic) in acknowledged where !inDoubt.contains(name) {
            #expect(reopened.desired(name)?.spec.topic == topic, "\(name)")
        }
        for name in reopened.names where !inDoubt.contains(name) {
            #expect(acknowledged[name] ?? nil != nil, "\(name) came back")
        }
        expectIndexIsSuperset(after, reopened)
        try await reopened.put("after-the-crash")
        for name in reopened.names { try await reopened.put(name, topic: "mended") }
        try await reopened.remove("after-the-crash")
        #expect(
            try await TwoTierStore.opened(after.reopened()).names
                == reopened.names)
    }

    /// Creates, changes and deletes, over a page boundary of one shard.
    ///
    /// - Returns: what was acknowledged (`nil` topic: deleted), and the names of the change that
    ///   was not.
    private func story(_ store: TwoTierStore) async -> ([String: String?], Set<String>) {
        let names = namesOfOneShard(6, prefix: "crash")
        var acknowledged: [String: String?] = [:]
        for step in 0..<20 {
            let touched = [names[step % 6], names[(step * 5 + 1) % 6], "other-\(step)"]
            let isDelete = step % 4 == 3
            do {
                try await store.transact { draft in
                    for name in touched {
                        if isDelete {
                            draft.removeConnection(name)
                        } else {
                            draft.put(
                                ConnectionRecord(
                                    epoch: 0,
                                    desired: .sample(name) { $0.topic = "step-\(step)" }))
                        }
                    }
                }
                for name in touched {
                    acknowledged[name] = .some(isDelete ? nil : "step-\(step)")
                }
            } catch {
                return (acknowledged, Set(touched))
            }
        }
        return (acknowledged, [])
    }

    private func expectIndexIsSuperset(_ store: InMemoryStateStore, _ opened: TwoTierStore) {
        for (key, entry) in store.entries where key.hasPrefix("wsm/conn/") {
            guard !RecordCodec.isTombstone(entry.value) else { continue }
            let name = String(key.dropFirst("wsm/conn/".count))
            #expect(opened.desired(name) != nil, "\(name) is stored and on no page")
        }
    }
}
