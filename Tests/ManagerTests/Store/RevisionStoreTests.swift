import ManagerCore
import Spec
import Synchronization
import TestKit
import Testing

@testable import Manager

/// The manifests of revisions in the store: written with the change, gone with their revision, and
/// never half there.
@Suite(.timeLimit(.minutes(1))) struct RevisionStoreTests {
    /// Adds a revision of one connection with a long text, so that it has several pages.
    private func change(_ store: TwoTierStore, _ step: Int, bytes: Int = 1_000) async throws {
        try await store.transact { draft in
            var set =
                draft.applySet("s") ?? ApplySetRecord(epoch: draft.epoch, name: "s", uid: "u")
            var desired = DesiredConnection.sample("a") { $0.topic = "step-\(step)" }
            desired.keeper = .applySet("s")
            desired.annotations = ["long": String(repeating: "x", count: bytes)]
            draft.put(ConnectionRecord(epoch: draft.epoch, desired: desired))
            set.connections = ["a"]
            SetHistory.append(
                to: &set, by: "", at: someTime, summary: "step \(step)", pageBytes: 500,
                in: &draft)
        }
    }

    /// Every revision that is offered is whole.
    private func expectWhole(_ store: TwoTierStore) async throws {
        for revision in store.applySet("s")?.history ?? [] where revision.content != nil {
            let text = try await store.revisionText(of: "s", revision)
            #expect(
                SetHistory.documents(in: text, digest: revision.digest) != nil,
                "revision \(revision.number)")
        }
    }

    private func pages(_ store: InMemoryStateStore) -> [String] {
        store.entries.keys.filter { $0.contains("/revision/") }.sorted()
    }

    @Test func aRevisionIsWrittenBeforeItsRecordAndReadAgain() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await change(opened, 1)
        #expect(pages(store) == (0...2).map { "wsm/set/s/revision/1/\($0)" })
        let keys = store.log.map(\.key)
        let record = try #require(keys.lastIndex(of: "wsm/set/s"))
        #expect(keys[..<record].filter { $0.contains("/revision/") }.count == 3)
        try await expectWhole(try await TwoTierStore.opened(store.reopened()))
    }

    @Test func pagesGoWithTheirRevision() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        for step in 0..<ApplySetRecord.keptRevisions + 3 {
            try await change(opened, step, bytes: 10)
        }
        // Cleaning up comes after the answer.
        #expect(await eventually { opened.applySet("s")?.dropped.isEmpty == true })
        #expect(pages(store).count == ApplySetRecord.keptRevisions)
        try await expectWhole(opened)
    }

    @Test func aFailedCleanUpIsTriedAgainByTheNextChangeAndByARestart() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        for step in 0..<ApplySetRecord.keptRevisions { try await change(opened, step, bytes: 10) }
        store.inject { $0.value == nil ? .unknownNotApplied : nil }
        try await change(opened, 100, bytes: 10)
        try await change(opened, 101, bytes: 10)
        #expect(opened.applySet("s")?.dropped == [1, 2])
        #expect(pages(store).count == ApplySetRecord.keptRevisions + 2)
        let copy = store.reopened()
        _ = try await TwoTierStore.opened(copy)
        #expect(pages(copy).count == ApplySetRecord.keptRevisions, "a restart tidies up")
        store.inject(nil)
        try await change(opened, 102, bytes: 10)
        #expect(
            await eventually { pages(store).count == ApplySetRecord.keptRevisions },
            "so does the next change")
    }

    /// The process dies after each possible number of writes.
    @Test(arguments: 0..<60)
    func noHalfWrittenRevisionIsOfferedAtAnyCrashPoint(_ crashAfter: Int) async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        store.goDown(afterWrites: crashAfter)
        var acknowledged: Int64 = 0
        do {
            for step in 1...12 {
                try await change(opened, step, bytes: step % 3 == 0 ? 10 : 1_000)
                acknowledged = Int64(step)
            }
        } catch {}
        let after = store.reopened()
        let reopened = try await TwoTierStore.opened(after)
        #expect(reopened.applySet("s")?.revision ?? 0 >= acknowledged)
        try await expectWhole(reopened)
        // The number that did not come about is used again, over pages that may be there.
        try await change(reopened, 50, bytes: 10)
        try await expectWhole(reopened)
        try await expectWhole(try await TwoTierStore.opened(after.reopened()))
    }

    @Test(arguments: 1...8)
    func aRefusedRevisionIsFollowedByAnother(_ applied: Int) async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await change(opened, 1)
        let left = Mutex(applied)
        store.inject { _ in
            left.withLock { left in
                left -= 1
                return left >= 0 ? nil : .unknownNotApplied
            }
        }
        _ = try? await change(opened, 2)
        store.inject(nil)
        try await change(opened, 3, bytes: 10)
        try await expectWhole(opened)
        #expect(opened.desired("a")?.spec.topic == "step-3")
        try await expectWhole(try await TwoTierStore.opened(store.reopened()))
    }

    @Test func pagesLeftByARefusedRevisionGoWithTheNumber() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        store.inject { $0.key == "wsm/set/s" ? .unknownNotApplied : nil }
        _ = try? await change(opened, 1)
        #expect(pages(store).count == 3)
        store.inject(nil)
        for step in 0..<ApplySetRecord.keptRevisions + 1 {
            try await change(opened, step, bytes: 10)
        }
        #expect(await eventually { pages(store).count == ApplySetRecord.keptRevisions })
    }

    @Test func damageIsSeen() async throws {
        let store = InMemoryStateStore()
        let opened = try await TwoTierStore.opened(store)
        try await change(opened, 1)
        let revision = try #require(opened.applySet("s")?.history.last)
        let key = RevisionKey(set: "s", revision: 1, page: 1)
        store.plant(key.storeKey, RecordCodec.revisionPage(key, epoch: 1, text: "other"))
        let text = try await opened.revisionText(of: "s", revision)
        #expect(SetHistory.documents(in: text, digest: revision.digest) == nil)
        store.plant(key.storeKey, Array("no record".utf8))
        await #expect(throws: StateStoreError.self) {
            _ = try await opened.revisionText(of: "s", revision)
        }
    }
}
