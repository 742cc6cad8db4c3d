import Manager
import ManagerCore
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct StatusWriterTests {
    private func writer(
        _ store: TwoTierStore, _ status: @escaping @Sendable (String) -> StoredStatus?
    ) -> StatusWriter {
        StatusWriter(store: store, logger: silent, status: status)
    }

    @Test func whatIsNotedIsWrittenOnceAndOnlyIfItDiffers() async throws {
        let backing = InMemoryStateStore()
        let told = Mutex(0)
        let store = try await TwoTierStore.opened(backing) { _ in told.withLock { $0 += 1 } }
        for name in ["a", "b"] { try await store.put(name) }
        let before = backing.log.count
        let attempt = Mutex(1)
        let writer = writer(store) { _ in
            StoredStatus(phase: .connected, attempt: attempt.withLock { $0 }, published: 7)
        }
        for _ in 0..<1_000 { writer.note("a") }
        await writer.flush()
        #expect(store.record("a")?.observed?.phase == .connected)
        #expect(store.record("b")?.observed == nil)
        #expect(backing.log.count == before + 1)
        writer.note("a")
        await writer.flush()
        #expect(backing.log.count == before + 1, "the same again is not written")
        attempt.withLock { $0 = 2 }
        writer.note("a")
        await writer.flush()
        #expect(store.record("a")?.observed?.attempt == 2)
        #expect(told.withLock { $0 } == 2, "a status tells nobody anything new")
        let reopened = try await TwoTierStore.opened(backing.reopened())
        #expect(reopened.record("a")?.observed?.attempt == 2)
    }

    @Test func aConnectionIsWrittenWhenItComesToRestOrHasWaitedLongEnough() async throws {
        let backing = InMemoryStateStore()
        let store = try await TwoTierStore.opened(backing)
        for name in ["settles", "flaps"] { try await store.put(name) }
        let clock = ManualClock()
        let writer = StatusWriter(store: store, logger: silent, now: { clock.now }) { _ in
            StoredStatus(phase: .connected, attempt: 0, published: 0)
        }
        writer.note("settles")
        writer.note("flaps")
        clock.advance(by: StatusWriter.rest - .milliseconds(1))
        await writer.writeDue()
        #expect(store.record("settles")?.observed == nil, "its dial may still run")
        writer.note("flaps")
        clock.advance(by: .milliseconds(1))
        await writer.writeDue()
        #expect(store.record("settles")?.observed?.phase == .connected)
        #expect(store.record("flaps")?.observed == nil)
        for _ in 0..<4 {
            clock.advance(by: StatusWriter.rest - .milliseconds(1))
            writer.note("flaps")
            await writer.writeDue()
        }
        #expect(store.record("flaps")?.observed == nil)
        clock.advance(by: .milliseconds(4))
        await writer.writeDue()
        #expect(store.record("flaps")?.observed?.phase == .connected, "after five seconds")
        let calls = backing.writeCalls
        clock.advance(by: .seconds(60))
        await writer.writeDue()
        #expect(backing.writeCalls == calls, "what is written is not noted any more")
    }

    @Test func aStatusThatCouldNotBeWrittenIsTriedAgain() async throws {
        let backing = InMemoryStateStore()
        let store = try await TwoTierStore.opened(backing)
        try await store.put("a")
        let writer = writer(store) { _ in
            StoredStatus(phase: .reconnecting, attempt: 3, published: 0)
        }
        backing.isDown = true
        writer.note("a")
        await writer.flush()
        #expect(store.record("a")?.observed == nil)
        backing.isDown = false
        await writer.flush()
        #expect(store.record("a")?.observed?.attempt == 3)
    }

    @Test func manyStatusesShareAFewCommitsAndTheGoneAreLeftOut() async throws {
        let backing = InMemoryStateStore()
        let store = try await TwoTierStore.opened(backing)
        try await store.transact { draft in
            for number in 0..<1_200 {
                draft.put(ConnectionRecord(epoch: 0, desired: .sample("c\(number)")))
            }
        }
        let writer = writer(store) { name in
            name == "c7" ? nil : StoredStatus(phase: .pending, attempt: 0, published: 0)
        }
        for number in 0..<1_200 { writer.note("c\(number)") }
        writer.note("nobody")
        let calls = backing.writeCalls
        await writer.flush()
        #expect(backing.writeCalls - calls == 3)
        #expect(store.record("c7")?.observed == nil)
        #expect((0..<1_200).count { store.record("c\($0)")?.observed != nil } == 1_199)
    }
}
