import Feed
import GRPCCore
import Manager
import ManagerAPI
import ManagerCore
import Spec
import TestKit
import Testing

/// History, rollback and guards over gRPC, in the process.
@Suite(.serialized, .timeLimit(.minutes(2))) struct HistoryServiceTests {
    private func refusal(_ body: () async throws -> Void) async -> RPCError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? RPCError
        }
    }

    /// Nobody answers it, so that nothing but the records is at work.
    private func quiet(_ name: String, topic: String = "t") -> String {
        manifest(name, "url: ws://127.0.0.1:9/\ntopic: \(topic)\nreconnect: {base: 1h, cap: 1h}")
    }

    private func history(_ server: RunningServer) async throws -> [Wsm_V1_SetRevision] {
        try await server.orchestrator.getHistory(Wsm_V1_GetHistoryRequest()).revisions
    }

    private func rollback(
        _ server: RunningServer, to revision: Int64,
        _ edit: (inout Wsm_V1_RollbackRequest) -> Void = { _ in }
    ) async throws -> RunningServer.Applied {
        var request = Wsm_V1_RollbackRequest()
        request.to = revision
        request.appliedBy = "rob@here"
        edit(&request)
        return try await server.orchestrator.rollback(request) { response in
            var applied = RunningServer.Applied()
            for try await message in response.messages {
                applied.results += message.results.results
                if case .summary(let summary) = message.part { applied.summary = summary }
            }
            return applied
        }
    }

    /// Manifests of a revision, all pages.
    private func manifests(
        _ server: RunningServer, _ revision: Int64
    ) async throws -> [String] {
        var request = Wsm_V1_GetHistoryRequest()
        request.revision = revision
        var documents: [String] = []
        repeat {
            let page = try await server.orchestrator.getHistory(request)
            documents += page.manifests.map { String(decoding: $0, as: UTF8.self) }
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        return documents
    }

    @Test func aRollbackRestoresExactlyAndIsARevision() async throws {
        let store = InMemoryStateStore()
        try await Live.run(store: store) { live in
            let server = live.server
            try await server.apply(quiet("a", topic: "t1"), quiet("b"))
            try await server.apply(quiet("a", topic: "t2"), quiet("c")) { $0.prune = true }
            #expect(server.desired("b") == nil)
            let planned = try await rollback(server, to: 1) { $0.dryRun = true }
            #expect(planned.summary.planDigest.count == 64)
            #expect(server.desired("c") != nil)
            let back = try await rollback(server, to: 1)
            #expect(back.summary.planDigest == planned.summary.planDigest)
            #expect(
                back.results.map { "\($0.name) \($0.action)" }.sorted() == [
                    "a configured", "b created", "c pruned",
                ])
            #expect(back.summary.revision == 3 && back.summary.baseRevision == 2)
            #expect(server.desired("a")?.spec.topic == "t1")
            #expect(server.desired("c") == nil)
            let revisions = try await history(server)
            #expect(revisions.map(\.number) == [3, 2, 1])
            #expect(revisions[0].summary == "rollback to 1: 1 created, 1 configured, 1 pruned")
            #expect(revisions[0].by == "rob@here")
            #expect(revisions[0].digest == revisions[2].digest, "it is what it was")
            #expect(revisions.allSatisfy { $0.canRollBack })
            let same = try await manifests(server, 1)
            #expect(try await manifests(server, 3) == same && same.count == 2)
            // Once more, where nothing is to be done.
            #expect(try await rollback(server, to: 1).summary.revision == 3)
        }
        // What was written is what another process goes back to.
        let again = try await RunningServer.start(store: store.reopened())
        let back = try await rollback(again, to: 2)
        #expect(back.summary.revision == 4)
        #expect(again.desired("c") != nil && again.desired("b") == nil)
        await again.stop()
    }

    @Test func aDeleteIsARevisionAndCanBeUndone() async throws {
        try await Live.run { live in
            try await live.server.apply(quiet("a"), quiet("b"))
            let uid = live.server.desired("a")?.uid
            _ = try await live.server.orchestrator.delete(
                .with {
                    $0.name = "a"
                    $0.appliedBy = "dan@here"
                })
            let revisions = try await history(live.server)
            #expect(revisions.first?.summary == "connection/a deleted")
            #expect(revisions.first?.by == "dan@here")
            #expect(try await manifests(live.server, 2).count == 1)
            #expect(try await rollback(live.server, to: 1).summary.created == 1)
            #expect(live.server.desired("a") != nil)
            #expect(live.server.desired("a")?.uid != uid, "another object of the same name")
        }
    }

    @Test func aRollbackObeysThePruneGuardAndTheRevision() async throws {
        try await Live.run { live in
            try await live.server.apply(quiet("a"))
            let many = (0..<9).map { quiet("c\($0)") }.joined(separator: "---\n")
            try await live.server.apply(quiet("a"), many)
            let guarded = await refusal { _ = try await rollback(live.server, to: 1) }
            #expect(guarded?.code == .failedPrecondition)
            #expect(guarded?.message.hasPrefix("prune guard: ") == true)
            let stale = await refusal {
                _ = try await rollback(live.server, to: 1) { $0.ifRevision = 1 }
            }
            #expect(stale?.code == .aborted)
            #expect(stale?.message.contains("at revision 2, applied by tester@here") == true)
            #expect(live.server.desired("c8") != nil)
            let back = try await rollback(live.server, to: 1) {
                $0.ifRevision = 2
                $0.maxPrune = "100%"
            }
            #expect(back.summary.pruned == 9)
        }
    }

    @Test func whatCannotBeGoneBackToIsSaid() async throws {
        try await Live.run { live in
            try await live.server.apply(quiet("a"))
            let cases: [(String, Int64, RPCError.Code, String)] = [
                ("never", 1, .notFound, "set never was never applied"),
                ("default", 7, .notFound, "no revision 7: its history has 1 to 1"),
                ("default", -1, .notFound, "no revision -1"),
                ("No Name", 1, .invalidArgument, "set: "),
            ]
            for (set, number, code, text) in cases {
                let error = await refusal {
                    _ = try await rollback(live.server, to: number) { $0.set = set }
                }
                #expect(error?.code == code, "\(set) \(number)")
                #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
            }
            for number in 0...ApplySetRecord.keptRevisions {
                try await live.server.apply(quiet("a", topic: "n\(number)"))
            }
            let revisions = try await history(live.server)
            #expect(revisions.count { $0.canRollBack } == ApplySetRecord.keptRevisions)
            #expect(revisions.last?.canRollBack == false)
            let gone = await refusal { _ = try await rollback(live.server, to: 1) }
            #expect(gone?.code == .failedPrecondition)
            #expect(gone?.message.contains("no longer kept") == true)
        }
    }

    @Test func damagedManifestsAreNotAppliedInPart() async throws {
        let store = InMemoryStateStore()
        try await Live.run(store: store) { live in
            try await live.server.apply(quiet("a"))
            try await live.server.apply(quiet("a", topic: "x"))
            store.plant(
                "wsm/set/default/revision/1/0",
                Array(
                    (#"{"v":1,"kind":"revision","shardEpoch":1,"set":"default","revision":1,"#
                        + #""page":0,"text":"{}\n"}"#).utf8))
            let damaged = await refusal { _ = try await rollback(live.server, to: 1) }
            #expect(damaged?.code == .failedPrecondition)
            #expect(damaged?.message.contains("damaged") == true)
            #expect(live.server.desired("a")?.spec.topic == "x")
        }
    }

    // MARK: Guards and dry runs

    @Test func aDryRunAndARefusedApplyWriteNothing() async throws {
        let store = InMemoryStateStore()
        try await Live.run(store: store) { live in
            try await live.server.apply(quiet("a"))
            let revision = live.server.server.store.applySet("default")
            func entries() -> [String: StateEntry] {
                store.entries.filter { !$0.key.hasPrefix("wsm/conn/") }
            }
            let before = entries()
            let desired = live.server.desired("a")
            _ = try await live.server.apply(quiet("a", topic: "x"), quiet("b")) {
                $0.dryRun = true
                $0.prune = true
            }
            let refused = await refusal {
                _ = try await live.server.apply(quiet("a", topic: "x"), quiet("b")) {
                    $0.ifRevision = 5
                }
            }
            #expect(refused?.code == .aborted)
            let moved = await refusal {
                _ = try await live.server.apply(quiet("a", topic: "x")) { $0.expectPlan = "other" }
            }
            #expect(moved?.code == .aborted)
            #expect(entries() == before)
            #expect(live.server.desired("a") == desired && live.server.desired("b") == nil)
            #expect(live.server.server.store.applySet("default") == revision)
        }
    }

    @Test func aPlanHoldsUntilACallMovesAnObjectOfIt() async throws {
        try await Live.run { live in
            let bare = manifest("a", "url: \(live.feed.url("/mute"))")
            try await live.server.apply(bare)
            #expect(await live.server.ready("a"))
            let edited = bare + "  maxMessageSize: 2MiB\n"
            let planned = try await live.server.apply(edited) { $0.dryRun = true }
            var call = Virtufin_StartPublishRequest()
            call.id = "a"
            call.topic = "called"
            _ = try await live.server.manager.startPublish(call)
            let moved = await refusal {
                _ = try await live.server.apply(edited) {
                    $0.expectPlan = planned.summary.planDigest
                }
            }
            #expect(moved?.code == .aborted)
            #expect(moved?.message.contains("make the plan again") == true)
            let again = try await live.server.apply(edited) { $0.dryRun = true }
            let applied = try await live.server.apply(edited) {
                $0.expectPlan = again.summary.planDigest
            }
            #expect(applied.summary.configured == 1)
            // And the manifest that now wants the topic meets the call's.
            let conflict = try await live.server.apply(edited + "  topic: mine\n")
            #expect(conflict.results.first?.action == .conflict)
            #expect(conflict.results.first?.fieldConflicts.map(\.manager) == ["grpc"])
            #expect(conflict.results.first?.fieldConflicts.first.map { $0.since > 0 } == true)
        }
    }

    @Test func managersAreShownWithTheirFields() async throws {
        try await Live.run { live in
            try await live.server.apply(quiet("a")) { $0.fieldManager = "ci" }
            let object = try await live.server.orchestrator.get(.with { $0.name = "a" })
            let managers = try JSONValue.parse([UInt8](object.json))["metadata"]?["managers"]
            guard case .array(let items)? = managers else {
                Issue.record("no managers in \(String(decoding: object.json, as: UTF8.self))")
                return
            }
            #expect(items.map { $0["manager"] } == [.string("ci")])
            #expect(
                items.first?["fields"]
                    == .array(
                        ["reconnect.base", "reconnect.cap", "topic", "url"].map { .string($0) }))
            let reserved = await refusal {
                _ = try await live.server.apply(quiet("a")) { $0.fieldManager = "grpc" }
            }
            #expect(reserved?.code == .invalidArgument)
        }
    }

    // MARK: Sizes

    @Test func noMessageOfALargeHistoryOrEditIsTooLarge() async throws {
        try await Live.run { live in
            let long = String(repeating: "x", count: 600_000)
            let documents = (0..<4).map { index in
                manifest(
                    "c\(index)",
                    "url: ws://127.0.0.1:9/\nreconnect: {base: 1h, cap: 1h}\nonOpen: [{text: \(long)}]"
                )
            }
            for document in documents { try await live.server.apply(document) }
            #expect(try await manifests(live.server, 4).count == 4)
            let edited = try await live.server.apply(
                documents[0].split(separator: "onOpen").first.map {
                    "\($0)onOpen: [{text: y\(long)}]\n"
                }
                    ?? "")
            let edit = try #require(edited.results.first?.edits.first)
            #expect(edit.old.utf8.count < 70_000 && edit.old.contains("bytes)"))
        }
    }

    // MARK: Events

    @Test func heldEventsEndWhereTheyEnd() async throws {
        let feed = try await FeedServer.start()
        let server = try await RunningServer.start(bus: LocalBus())
        try await server.apply(manifest("a", "url: \(feed.url("/mute"))\ntopic: t"))
        #expect(await server.ready("a"))
        var request = Wsm_V1_EventsRequest()
        request.onlyHeld = true
        // An event goes out at the end of the turn that shows what it tells of.
        #expect(
            try await eventually {
                let all = try await events(request, server)
                return all.contains { $0.contains("connection.connected") }
            })
        request.connection = "other"
        #expect(try await events(request, server).isEmpty)
        await server.stop()
        await feed.stop()
    }

    private func events(
        _ request: Wsm_V1_EventsRequest, _ server: RunningServer
    ) async throws -> [String] {
        try await server.orchestrator.events(request) { response in
            var events: [String] = []
            for try await message in response.messages {
                events += message.cloudevents.map { String(decoding: $0, as: UTF8.self) }
            }
            return events
        }
    }
}
