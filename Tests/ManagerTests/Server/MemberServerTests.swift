import GRPCCore
import ManagerAPI
import ManagerCore
import Reconciler
import Synchronization
import TestKit
import Testing

@testable import Manager

/// A whole server as the only member of a cluster, at the default times: beside five hundred other
/// tests a process is late by more than the fast profile bears.
@Suite(.serialized, .timeLimit(.minutes(2))) struct MemberServerTests {
    private func member(
        _ store: InMemoryStateStore, _ configure: (inout ServerConfiguration) -> Void = { _ in }
    ) async throws -> RunningServer {
        let member = try await RunningServer.start(store: store, isMember: true) {
            configure(&$0)
        }
        let isServing = await eventually(within: .seconds(30)) {
            member.server.cluster?.served.count == Shards.count
        }
        #expect(isServing)
        return member
    }

    @Test func flappingSocketsWriteABoundedNumberOfRecordsASecond() async throws {
        let store = InMemoryStateStore()
        let member = try await member(store) {
            $0.reconciler.dialRate = 5_000
            $0.reconciler.dialBurst = 5_000
            $0.reconciler.dialConcurrency = 600
        }
        let names = (0..<600).map { "flap-\($0)" }
        let spec = "url: ws://127.0.0.1:1/\nreconnect: {base: 10ms, cap: 20ms, maxAttempts: 0}"
        let everything = names.map { manifest($0, spec) }.joined(separator: "---\n")
        try await member.apply(everything)
        #expect(await eventually { member.server.store.desiredNames().count == names.count })
        func written() -> Int { store.log.count { $0.key.hasPrefix("wsm/conn/") } }
        let (began, before) = (ContinuousClock.now, written())
        let most = StatusWriter.perRoundInCluster
        #expect(await eventually(within: .seconds(60)) { written() - before >= 4 * most })
        let rounds = Int(began.duration(to: .now) / StatusWriter.interval) + 1
        #expect(written() - before <= rounds * most)
        await member.stop()
    }

    @Test func whatAMemberWithoutALeaseShowsIsNotGivenAsFresh() async throws {
        let store = InMemoryStateStore()
        let member = try await member(store)
        try await member.apply(manifest("x", "url: ws://127.0.0.1:1/"))
        let reasons = Mutex<[String]>([])
        let watch = Task { [orchestrator = member.orchestrator] in
            try await orchestrator.watch(.init()) { response in
                for try await message in response.messages {
                    let seen = message.changes.filter { $0.object.name == "x" }.map(\.object.reason)
                    reasons.withLock { $0 += seen }
                }
            }
        }
        #expect(await eventually { reasons.withLock { $0.last } != nil })
        #expect(!reasons.withLock { $0.contains("Fenced") })
        store.isDown = true
        #expect(await eventually(within: .seconds(20)) { reasons.withLock { $0.last } == "Fenced" })
        let get = await #expect(throws: RPCError.self) {
            try await member.orchestrator.get(.with { $0.name = "x" })
        }
        #expect(get?.code == .unavailable)
        let list = await #expect(throws: RPCError.self) {
            try await member.orchestrator.list(.init())
        }
        #expect(list?.code == .unavailable)
        let older = await #expect(throws: RPCError.self) { try await member.manager.list(.init()) }
        #expect(older?.code == .unavailable)
        store.isDown = false
        #expect(await eventually(within: .seconds(20)) { reasons.withLock { $0.last } != "Fenced" })
        let page = try await member.orchestrator.list(.init())
        #expect(page.objects.map(\.name) == ["x"])
        #expect(page.objects.allSatisfy { $0.reason != "Fenced" })
        watch.cancel()
        _ = await watch.result
        await member.stop()
    }
}
