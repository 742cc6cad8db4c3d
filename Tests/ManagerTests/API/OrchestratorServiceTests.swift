import Feed
import GRPCCore
import Manager
import ManagerAPI
import ManagerCore
import Spec
import Synchronization
import TestKit
import Testing

/// `wsm.v1.Orchestrator` over gRPC, in the process.
@Suite(.serialized, .timeLimit(.minutes(2))) struct OrchestratorServiceTests {
    private func refusal(_ body: () async throws -> Void) async -> RPCError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? RPCError
        }
    }

    /// Manifests nobody answers, so that nothing but the records is at work.
    private func quiet(_ names: [String], metadata: String = "") -> String {
        names.map {
            manifest(
                $0, "url: ws://127.0.0.1:9/\nreconnect: {base: 1h, cap: 1h}", metadata: metadata)
        }.joined(separator: "---\n")
    }

    // MARK: Apply and Plan

    @Test func applyingTheSameTwiceChangesAndDialsNothing() async throws {
        try await Live.run { live in
            let yaml = (0..<5).map { manifest("c\($0)", "url: \(live.feed.url("/mute"))") }
                .joined(separator: "---\n")
            let first = try await live.server.apply(yaml)
            #expect(first.summary.created == 5)
            #expect(first.summary.revision == 1)
            #expect(await eventually { live.opened("/mute") == 5 })
            let second = try await live.server.apply(yaml)
            #expect(second.summary.unchanged == 5)
            #expect(second.summary.revision == 1)
            #expect(second.summary.cutSockets == 0)
            #expect(await always(for: .milliseconds(150)) { live.opened("/mute") == 5 })
        }
    }

    @Test func aPlanSaysWhatAnApplyWouldAndDoesNothing() async throws {
        try await Live.run { live in
            try await live.server.apply(manifest("a", "url: \(live.feed.url("/mute"))"))
            #expect(await live.server.ready("a"))
            let planned = try await live.server.apply(
                manifest("a", "url: \(live.feed.url("/echo"))"),
                manifest("b", "url: \(live.feed.url("/mute"))")
            ) { $0.dryRun = true }
            #expect(planned.summary.configured == 1)
            #expect(planned.summary.created == 1)
            #expect(planned.summary.cutSockets == 1)
            #expect(planned.results.map(\.cutsSocket) == [true, false])
            #expect(live.server.desired("b") == nil)
            #expect(live.server.desired("a")?.generation == 1)
            #expect(live.opened("/mute") == 1)
            #expect(live.opened("/echo") == 0)
        }
    }

    @Test func exactlyTheEditedSocketIsCut() async throws {
        try await Live.run { live in
            func yaml(_ path: String) -> String {
                (0..<5).map {
                    manifest("c\($0)", "url: \(live.feed.url($0 == 3 ? path : "/mute"))")
                }.joined(separator: "---\n")
            }
            try await live.server.apply(yaml("/mute"))
            // The feed's side of a socket is open first.
            #expect(await live.server.ready("c0", "c1", "c2", "c3", "c4"))
            let edited = try await live.server.apply(yaml("/echo"))
            #expect(edited.results.filter(\.cutsSocket).map(\.name) == ["c3"])
            #expect(await live.server.ready("c0", "c1", "c2", "c3", "c4"))
            #expect(live.opened("/echo") == 1)
            #expect(live.opened("/mute") == 5)
            #expect(live.feed.stats(of: "/mute").open == 4)
        }
    }

    @Test func aPruneTakesExactlyWhatTheInputLacks() async throws {
        try await Live.run { live in
            let all = (0..<4).map { manifest("c\($0)", "url: \(live.feed.url("/mute"))") }
            try await live.server.apply(all.joined(separator: "---\n"))
            #expect(await eventually { live.feed.stats(of: "/mute").open == 4 })
            let pruned = try await live.server.apply(
                all.dropLast().joined(separator: "---\n")
            ) { $0.prune = true }
            #expect(pruned.summary.pruned == 1)
            #expect(await eventually { live.feed.stats(of: "/mute").open == 3 })
            #expect(live.opened("/mute") == 4)
            #expect(await eventually { live.server.observed("c3") == nil })
            var header = Wsm_V1_ApplyHeader()
            header.set = "default"
            header.prune = true
            let empty = header
            let refused = await refusal { _ = try await live.server.apply([], header: empty) }
            #expect(refused?.code == .failedPrecondition)
            #expect(refused?.message.hasPrefix("prune guard: ") == true)
            #expect(live.feed.stats(of: "/mute").open == 3)
        }
    }

    @Test func aDocumentThatDoesNotCompileChangesNothing() async throws {
        try await Live.run { live in
            var header = Wsm_V1_ApplyHeader()
            header.set = "default"
            let good = try FieldEdit.document("good", ["url": #""ws://127.0.0.1:9/""#])
            for bad in [
                "", "{", "[]", #"{"kind":"Connection"}"#,
                String(decoding: good, as: UTF8.self) + "x",
                String(
                    decoding: try FieldEdit.document("bad", ["url": #""http://x""#]),
                    as: UTF8.self),
            ] {
                let documents = [(json: good, origin: "good.yaml"), (Array(bad.utf8), "bad.yaml")]
                let sent = header
                let error = await refusal {
                    _ = try await live.server.apply(documents, header: sent)
                }
                #expect(error?.code == .invalidArgument, "\(bad)")
                #expect(error?.message.contains("bad.yaml") == true, "\(error?.message ?? "")")
            }
            let twice = [(json: good, origin: "one.yaml"), (json: good, origin: "two.yaml")]
            let sent = header
            let error = await refusal { _ = try await live.server.apply(twice, header: sent) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("one.yaml") == true)
            #expect(error?.message.contains("two.yaml") == true)
            #expect(live.server.server.store.desiredNames().isEmpty)
        }
    }

    @Test func aStreamOutOfOrderIsRefused() async throws {
        try await Live.run { live in
            let chunk = Wsm_V1_ApplyRequest.with { $0.chunk = Wsm_V1_ApplyChunk() }
            let header = Wsm_V1_ApplyRequest.with { $0.header = Wsm_V1_ApplyHeader() }
            let empty = Wsm_V1_ApplyRequest()
            for messages in [[], [chunk], [chunk, header], [header, header], [empty]] {
                let error = await refusal {
                    try await live.server.orchestrator.apply(
                        requestProducer: { writer in
                            for message in messages { try await writer.write(message) }
                        },
                        onResponse: { response in
                            for try await _ in response.messages {}
                        })
                }
                #expect(error?.code == .invalidArgument, "\(messages.count) messages")
            }
        }
    }

    @Test func aChangeTheStoreDoesNotTakeIsUnavailableAndNotInForce() async throws {
        let store = InMemoryStateStore()
        try await Live.run(store: store) { live in
            store.inject { _ in .unknownNotApplied }
            let error = await refusal {
                try await live.server.apply(manifest("a", "url: \(live.feed.url("/mute"))"))
            }
            #expect(error?.code == .unavailable)
            #expect(live.server.desired("a") == nil)
            #expect(live.feed.accepted == 0)
            store.inject(nil)
            try await live.server.apply(manifest("a", "url: \(live.feed.url("/mute"))"))
            #expect(await live.server.ready("a"))
        }
    }

    // MARK: Get, List, Delete

    @Test func whatGetShowsAppliesAsUnchanged() async throws {
        try await Live.run { live in
            try await live.server.apply(
                manifest(
                    "a", "url: \(live.feed.url("/mute"))\ntopic: t\nkeepalive: {pingInterval: 5s}",
                    metadata: "labels: {venue: x}, annotations: {note: hello}"))
            #expect(await live.server.ready("a"))
            let object = try await live.server.orchestrator.get(
                .with {
                    $0.kind = "Connection"
                    $0.name = "a"
                })
            #expect(object.ready)
            #expect(object.set == "default")
            #expect(object.phase == "Connected")
            let again = try await live.server.apply(
                [(json: Array(object.json), origin: "get")], header: Wsm_V1_ApplyHeader())
            #expect(again.results.map(\.action) == [.unchanged])
            let nobody = await refusal {
                _ = try await live.server.orchestrator.get(.with { $0.name = "nobody" })
            }
            #expect(nobody?.code == .notFound)
            let kind = await refusal {
                _ = try await live.server.orchestrator.get(.with { $0.kind = "Host" })
            }
            #expect(kind?.code == .invalidArgument)
        }
    }

    @Test func aListIsPagedByCount() async throws {
        try await Live.run { live in
            let names = (0..<30).map { "c\($0)" }
            try await live.server.apply(quiet(names))
            var listed: [String] = []
            var token = ""
            var pages = 0
            repeat {
                let page = try await live.server.orchestrator.list(
                    .with {
                        $0.pageSize = 7
                        $0.pageToken = token
                    })
                #expect(page.objects.count <= 7)
                listed += page.objects.map(\.name)
                token = page.nextPageToken
                pages += 1
            } while !token.isEmpty
            #expect(pages == 5)
            #expect(listed == names.sorted())
            for size in [-1, 1_001] as [Int32] {
                let error = await refusal {
                    _ = try await live.server.orchestrator.list(.with { $0.pageSize = size })
                }
                #expect(error?.code == .invalidArgument)
            }
        }
    }

    @Test func aListIsPagedByBytesToo() async throws {
        try await Live.run { live in
            let names = (0..<60).map { "c\($0)" }
            let note = String(repeating: "n", count: 60_000)
            for start in stride(from: 0, to: 60, by: 20) {
                try await live.server.apply(
                    quiet(
                        Array(names[start..<start + 20]), metadata: "annotations: {note: \(note)}"))
            }
            var listed: [String] = []
            var token = ""
            var pages = 0
            repeat {
                let page = try await live.server.orchestrator.list(.with { $0.pageToken = token })
                #expect(page.objects.reduce(0) { $0 + $1.json.count } < 3 << 20)
                listed += page.objects.map(\.name)
                token = page.nextPageToken
                pages += 1
            } while !token.isEmpty
            #expect(pages > 1)
            #expect(listed == names.sorted())
            let brief = try await live.server.orchestrator.list(.with { $0.brief = true })
            #expect(brief.objects.count == 60)
            #expect(brief.objects.allSatisfy { $0.json.isEmpty && !$0.url.isEmpty })
        }
    }

    @Test func aListIsFilteredByLabelAndSet() async throws {
        try await Live.run { live in
            try await live.server.apply(
                quiet(["a", "b"], metadata: "labels: {venue: x}"), set: "left")
            try await live.server.apply(quiet(["c"], metadata: "labels: {venue: y}"), set: "right")
            func names(_ edit: (inout Wsm_V1_ListRequest) -> Void) async throws -> [String] {
                try await live.server.orchestrator.list(.with(edit)).objects.map(\.name)
            }
            #expect(try await names { $0.labelSelector = "venue=x" } == ["a", "b"])
            #expect(try await names { $0.labelSelector = "venue!=x" } == ["c"])
            #expect(try await names { $0.set = "right" } == ["c"])
            let error = await refusal { _ = try await names { $0.labelSelector = "==" } }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("label_selector") == true)
        }
    }

    @Test func deleteAsksWhoseItIs() async throws {
        try await Live.run { live in
            try await live.server.apply(quiet(["a"]), set: "left")
            let other = await refusal {
                _ = try await live.server.orchestrator.delete(
                    .with {
                        $0.name = "a"
                        $0.set = "right"
                    })
            }
            #expect(other?.code == .failedPrecondition)
            let answer = try await live.server.orchestrator.delete(
                .with {
                    $0.name = "a"
                    $0.set = "left"
                })
            #expect(answer.deleted == 1)
            #expect(live.server.desired("a") == nil)
            #expect(live.server.server.store.applySet("left")?.connections.isEmpty == true)
            let again = await refusal { try await live.delete("a") }
            #expect(again?.code == .notFound)
        }
    }

    // MARK: Watch

    @Test func aWatchTellsPresentSyncedChangedAndDeleted() async throws {
        try await Live.run { live in
            try await live.server.apply(quiet(["a", "b"]))
            let seen = Mutex<[String]>([])
            let watching = Task {
                try await live.server.orchestrator.watch(.with { _ in }) { response in
                    for try await message in response.messages {
                        seen.withLock { seen in
                            seen += message.changes.map { "\($0.action) \($0.object.name)" }
                        }
                    }
                }
            }
            #expect(await eventually { seen.withLock { $0.contains("synced ") } })
            #expect(
                seen.withLock { Array($0.prefix(3)) } == ["present a", "present b", "synced "])
            try await live.server.apply(quiet(["c"]))
            #expect(await eventually { seen.withLock { $0.contains("changed c") } })
            try await live.delete("b")
            #expect(await eventually { seen.withLock { $0.contains("deleted b") } })
            let all = seen.withLock { $0 }
            #expect(all.count { $0 == "deleted b" } == 1)
            #expect(!all.contains("deleted a"))
            watching.cancel()
            _ = await watching.result
        }
    }

    @Test func aWatchKeepsToItsFilter() async throws {
        try await Live.run { live in
            try await live.server.apply(quiet(["mine"]), set: "left")
            let seen = Mutex<[String]>([])
            let watching = Task {
                try await live.server.orchestrator.watch(
                    .with {
                        $0.set = "left"
                        $0.names = ["mine", "later"]
                    }
                ) { response in
                    for try await message in response.messages {
                        seen.withLock { seen in
                            seen += message.changes.map { "\($0.action) \($0.object.name)" }
                        }
                    }
                }
            }
            #expect(await eventually { seen.withLock { $0.contains("synced ") } })
            try await live.server.apply(quiet(["other"]), set: "left")
            try await live.server.apply(quiet(["later"]), set: "left")
            #expect(await eventually { seen.withLock { $0.contains("changed later") } })
            // Adopted away: gone as far as this watch can tell.
            try await live.server.apply(quiet(["mine"]), set: "right") { $0.adopt = true }
            #expect(await eventually { seen.withLock { $0.contains("deleted mine") } })
            #expect(seen.withLock { $0.allSatisfy { !$0.contains("other") } })
            watching.cancel()
            _ = await watching.result
        }
    }

    @Test func aWatchEndsWithTheServer() async throws {
        let server = try await RunningServer.start()
        let isSynced = Mutex(false)
        let watching = Task {
            try await server.orchestrator.watch(.with { _ in }) { response in
                for try await _ in response.messages { isSynced.withLock { $0 = true } }
            }
        }
        #expect(await eventually { isSynced.withLock { $0 } })
        await server.stop()
        switch await watching.result {
        case .success: Issue.record("a watch that ended looks complete")
        case .failure(let error): #expect((error as? RPCError)?.code == .unavailable)
        }
    }

    @Test func aWatchWhoseCallerLeftIsForgottenThoughNothingChanges() async throws {
        try await Live.run { live in
            let isSynced = Mutex(false)
            let watching = Task {
                try await live.server.orchestrator.watch(.with { _ in }) { response in
                    for try await _ in response.messages { isSynced.withLock { $0 = true } }
                }
            }
            #expect(await eventually { isSynced.withLock { $0 } })
            #expect(live.server.server.watchers == 1)
            watching.cancel()
            _ = await watching.result
            #expect(await eventually { live.server.server.watchers == 0 })
        }
    }

    // MARK: Topics and events

    @Test(arguments: 1...5) func whoHasTheHeadersMissesNothing(_: Int) async throws {
        let bus = LocalBus()
        let server = try await RunningServer.start(bus: bus)
        let uid = try #require(ConnectionUID(rawValue: "u"))
        let events = (1...2).map { number in
            OutboundEvent(
                topic: "t", id: EventID(uid: uid, epoch: 1, sequence: UInt64(number)),
                type: OutboundEvent.messageType, source: "s", time: someTime,
                payload: Array("x".utf8), kind: .text, attributes: [])
        }
        let first = try await server.orchestrator.subscribe(.with { $0.topic = "t" }) { response in
            _ = try response.accepted.get()
            _ = await bus.publish(events)
            for try await message in response.messages { return message.messages.first?.sequence }
            return nil
        }
        #expect(first == 1)
        await server.stop()
    }

    @Test func aTopicIsStreamedFromWhereTheCallerWants() async throws {
        let feed = try await FeedServer.start()
        let server = try await RunningServer.start(bus: LocalBus())
        try await server.apply(manifest("a", "url: \(feed.url("/burst?count=100"))\ntopic: t"))
        #expect(await eventually { server.observed("a")?.traffic.published == 100 })
        let messages = try await server.orchestrator.subscribe(
            .with {
                $0.topic = "t"
                $0.start = .after
                $0.afterPosition = 90
            }
        ) { response in
            var messages: [Wsm_V1_TopicMessage] = []
            for try await message in response.messages {
                messages += message.messages
                if messages.count >= 10 { break }
            }
            return messages
        }
        #expect(messages.map(\.position) == Array(91...100))
        #expect(messages.map(\.sequence) == Array(91...100))
        #expect(messages.allSatisfy { $0.connection == "a" })
        #expect(messages.allSatisfy { $0.contentType == "application/json" })
        #expect(messages.allSatisfy { $0.epoch == server.server.store.epoch })
        #expect(messages.first?.url == feed.url("/burst"), "without its query")
        let bad = await refusal {
            try await server.orchestrator.subscribe(.with { $0.topic = "a b" }) { response in
                for try await _ in response.messages {}
            }
        }
        #expect(bad?.code == .invalidArgument)
        let events = try await server.orchestrator.events(
            .with {
                $0.replay = true
                $0.connection = "a"
            }
        ) { response in
            for try await message in response.messages {
                return message.cloudevents.map { String(decoding: $0, as: UTF8.self) }
            }
            return []
        }
        #expect(events.first?.contains("com.virtufin.websocketmanager.connection.con") == true)
        await server.stop()
        await feed.stop()
    }

    @Test func theServerTellsWhoItIs() async throws {
        try await Live.run { live in
            try await live.server.apply(quiet(["a", "b"]))
            let info = try await live.server.orchestrator.getServerInfo(
                Wsm_V1_GetServerInfoRequest())
            #expect(info.version == "test")
            #expect(info.instanceID == "test-instance")
            #expect(info.epoch == live.server.server.store.epoch)
            #expect(info.connections == 2)
        }
    }
}

extension Wsm_V1_ApplyRequest {
    fileprivate static func with(_ edit: (inout Self) -> Void) -> Self {
        var request = Self()
        edit(&request)
        return request
    }
}
