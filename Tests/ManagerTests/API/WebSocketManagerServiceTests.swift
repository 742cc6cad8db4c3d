import Feed
import GRPCCore
import Manager
import ManagerAPI
import ManagerCore
import TestKit
import Testing

/// `virtufin.WebSocketManager` over gRPC, in the process.
@Suite(.serialized, .timeLimit(.minutes(2))) struct WebSocketManagerServiceTests {
    private func connect(
        _ live: Live, _ url: String, autoReconnect: Bool = false, tags: [String: String] = [:]
    ) async throws -> String {
        var request = Virtufin_ConnectRequest()
        request.url = url
        request.autoReconnect = autoReconnect
        request.tags = tags
        return try await live.server.manager.connect(request).id
    }

    private func list(_ live: Live) async throws -> [Virtufin_WebSocketConnection] {
        try await live.server.manager.list(Virtufin_ListRequest()).connections
    }

    /// The gRPC error a call ends with.
    private func refusal(_ body: () async throws -> Void) async -> RPCError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? RPCError
        }
    }

    private func startPublish(_ live: Live, _ id: String, _ topic: String) async throws {
        var request = Virtufin_StartPublishRequest()
        request.id = id
        request.topic = topic
        _ = try await live.server.manager.startPublish(request)
    }

    private func disconnect(_ live: Live, _ id: String) async throws {
        var request = Virtufin_DisconnectRequest()
        request.id = id
        _ = try await live.server.manager.disconnect(request)
    }

    // MARK: Connect

    @Test(arguments: [false, true])
    func connectAnswersAfterTheFirstOpen(_ autoReconnect: Bool) async throws {
        try await Live.run { live in
            let id = try await connect(
                live, live.feed.url("/mute?q=1"), autoReconnect: autoReconnect,
                tags: ["venue": "x"])
            #expect(live.feed.stats(of: "/mute").open == 1)
            let listed = try #require(try await list(live).first)
            #expect(listed.id == id)
            #expect(listed.status == "connected")
            #expect(listed.url == live.feed.url("/mute?q=1"))
            #expect(listed.tags == ["venue": "x"])
            #expect(listed.instanceID == "test-instance")
            #expect(live.server.desired(id)?.isProvisional == false)
            #expect(live.server.desired(id)?.keeper == .grpc)
            live.feed.dropAll()
            if autoReconnect {
                #expect(await eventually { live.opened("/mute") == 2 })
            } else {
                #expect(await eventually { live.server.status(id)?.phase == .disconnected })
                #expect(try await list(live).first?.status == "disconnected")
                #expect(live.opened("/mute") == 1)
            }
        }
    }

    @Test(
        arguments: [
            ("/status?code=503", false, RPCError.Code.unavailable, "503"),
            ("/status?code=503", true, .unavailable, "503"),
            ("/status?code=404", false, .unavailable, "404"),
            ("/redirect", true, .unavailable, "302"),
        ] as [(String, Bool, RPCError.Code, String)])
    func aFailedConnectLeavesNothingBehind(
        _ path: String, _ autoReconnect: Bool, _ code: RPCError.Code, _ text: String
    ) async throws {
        let store = InMemoryStateStore()
        try await Live.run(store: store) { live in
            let error = await refusal {
                _ = try await connect(live, live.feed.url(path), autoReconnect: autoReconnect)
            }
            #expect(error?.code == code)
            #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
            let listed = try await list(live)
            #expect(listed.isEmpty)
            #expect(live.server.server.store.desiredNames().isEmpty)
            #expect(await eventually { live.server.server.fleet.all.isEmpty })
            #expect(await always(for: .milliseconds(150)) { live.feed.accepted == 1 })
            let reopened = try await TwoTierStore.opened(store.reopened())
            #expect(reopened.names.isEmpty)
        }
    }

    @Test(arguments: [false, true])
    func aRefusedPortLeavesNothingBehind(_ autoReconnect: Bool) async throws {
        let gone = try await FeedServer.start()
        let url = gone.url("/mute")
        await gone.stop()
        try await Live.run { live in
            let error = await refusal {
                _ = try await connect(live, url, autoReconnect: autoReconnect)
            }
            #expect(error?.code == .unavailable)
            #expect(live.server.server.store.desiredNames().isEmpty)
            #expect(await eventually { live.server.server.fleet.all.isEmpty })
        }
    }

    @Test(arguments: ["", "http://x/", "ws://", "ws://a b/", "ws://user:pw@h/", "ws://h/#f"])
    func aURLThatIsNoneIsRefusedByName(_ url: String) async throws {
        try await Live.run { live in
            let error = await refusal { _ = try await connect(live, url) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.hasPrefix("url: ") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("pw") != true)
            #expect(live.server.server.store.desiredNames().isEmpty)
        }
    }

    @Test func aCallerThatLeavesDuringConnectLeavesNothingBehind() async throws {
        try await Live.run { live in
            let calling = Task {
                try await connect(
                    live, live.feed.url("/slow-handshake?delay=60000"), autoReconnect: true)
            }
            #expect(await eventually { live.feed.connections == 1 })
            let listed = try await list(live)
            #expect(listed.isEmpty, "an unanswered Connect is not shown")
            calling.cancel()
            _ = await calling.result
            #expect(await eventually { live.server.server.store.desiredNames().isEmpty })
            #expect(await eventually { live.feed.connections == 0 })
            #expect(await eventually { live.server.server.fleet.all.isEmpty })
            #expect(live.feed.accepted == 1)
        }
    }

    @Test func manyConnectsAtOnceAllGetTheirOwn() async throws {
        try await Live.run { live in
            let ids = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<40 {
                    group.addTask { try await connect(live, live.feed.url("/mute")) }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(ids.count == 40)
            #expect(live.feed.stats(of: "/mute").open == 40)
            #expect(live.opened("/mute") == 40)
        }
    }

    @Test func aStoreThatIsDownRefusesAConnectBeforeTheDial() async throws {
        let store = InMemoryStateStore()
        try await Live.run(store: store) { live in
            store.isDown = true
            let error = await refusal { _ = try await connect(live, live.feed.url("/mute")) }
            #expect(error?.code == .unavailable)
            #expect(live.feed.accepted == 0)
            store.isDown = false
            _ = try await connect(live, live.feed.url("/mute"))
            #expect(live.opened("/mute") == 1)
            #expect(live.server.server.store.desiredNames().count == 1)
        }
    }

    @Test func anAdoptedConnectionKeepsItsSocket() async throws {
        try await Live.run { live in
            let id = try await connect(live, live.feed.url("/mute"), autoReconnect: true)
            try await startPublish(live, id, "by-call")
            let adopted = try await live.server.apply(
                manifest(id, "url: \(live.feed.url("/mute"))")
            ) { $0.adopt = true }
            #expect(adopted.results.map(\.action) == [.adopted])
            #expect(adopted.summary.cutSockets == 0)
            #expect(await live.server.ready(id))
            live.feed.broadcast("m", to: "/mute")
            #expect(await eventually { live.bus.texts(on: "by-call") == ["m"] })
            #expect(live.opened("/mute") == 1)
            let refused = await refusal { try await disconnect(live, id) }
            #expect(refused?.code == .failedPrecondition)
        }
    }

    // MARK: Disconnect

    @Test func disconnectClosesAndForgets() async throws {
        try await Live.run { live in
            let id = try await connect(live, live.feed.url("/mute"), autoReconnect: true)
            try await disconnect(live, id)
            #expect(try await list(live).isEmpty == true)
            #expect(await eventually { live.feed.connections == 0 })
            #expect(await eventually { live.server.server.fleet.all.isEmpty })
            #expect(live.opened("/mute") == 1)
            let again = await refusal { try await disconnect(live, id) }
            #expect(again?.code == .notFound)
            #expect(again?.message == "Connection not found")
        }
    }

    // MARK: Topics

    @Test func startPublishIsInForceWhenItReturns() async throws {
        try await Live.run { live in
            let id = try await connect(live, live.feed.url("/mute"))
            for round in 0..<10 {
                try await startPublish(live, id, "topic-\(round)")
                live.feed.broadcast("m\(round)", to: "/mute")
                #expect(
                    await eventually { live.bus.texts(on: "topic-\(round)") == ["m\(round)"] })
            }
            var request = Virtufin_StopPublishRequest()
            request.id = id
            _ = try await live.server.manager.stopPublish(request)
            live.feed.broadcast("unheard", to: "/mute")
            #expect(await eventually { live.traffic(id).dropped[.noTopic] == 1 })
            #expect(live.opened("/mute") == 1)
        }
    }

    @Test func aTopicThatIsNoneIsRefused() async throws {
        try await Live.run { live in
            let id = try await connect(live, live.feed.url("/mute"))
            let empty = await refusal { try await startPublish(live, id, "") }
            #expect(empty?.code == .invalidArgument)
            #expect(empty?.message == "Topic is required")
            let blank = await refusal { try await startPublish(live, id, "a b") }
            #expect(blank?.code == .invalidArgument)
            #expect(blank?.message.hasPrefix("topic: ") == true)
            let nobody = await refusal { try await startPublish(live, "nobody", "t") }
            #expect(nobody?.code == .notFound)
            live.feed.dropAll()
            #expect(await eventually { live.server.status(id)?.phase == .disconnected })
            let down = await refusal { try await startPublish(live, id, "t") }
            #expect(down?.code == .failedPrecondition)
            #expect(down?.message == "WebSocket is not connected")
        }
    }

    // MARK: What a manifest declares

    @Test func aDeclaredFieldIsNotChangedByACall() async throws {
        try await Live.run { live in
            try await live.server.apply(
                manifest(
                    "a", "url: \(live.feed.url("/mute"))\ntopic: declared",
                    metadata: "labels: {venue: x}"), set: "team")
            #expect(await live.server.ready("a"))
            let topic = await refusal { try await startPublish(live, "a", "other") }
            #expect(topic?.code == .failedPrecondition)
            #expect(topic?.message.contains("topic") == true)
            #expect(topic?.message.contains("set team") == true)
            let tag = await refusal { try await setTag(live, "a", "venue", "y") }
            #expect(tag?.code == .failedPrecondition)
            #expect(tag?.message.contains("metadata.labels[venue]") == true)
            let gone = await refusal { try await disconnect(live, "a") }
            #expect(gone?.code == .failedPrecondition)
            #expect(gone?.message.contains("set team") == true)
            try await setTag(live, "a", "free", "1")
            #expect(try await list(live).first?.tags == ["venue": "x", "free": "1"])
            #expect(live.server.desired("a")?.effectiveTopic == "declared")
            #expect(live.opened("/mute") == 1)
        }
    }

    @Test func anUndeclaredTopicIsFree() async throws {
        try await Live.run { live in
            let yaml = manifest("a", "url: \(live.feed.url("/mute"))")
            try await live.server.apply(yaml)
            #expect(await live.server.ready("a"))
            try await startPublish(live, "a", "by-call")
            live.feed.broadcast("m", to: "/mute")
            #expect(await eventually { live.bus.texts(on: "by-call") == ["m"] })
            #expect(try await live.server.apply(yaml).summary.unchanged == 1)
            #expect(live.server.desired("a")?.effectiveTopic == "by-call")
        }
    }

    // MARK: Tags

    private func setTag(
        _ live: Live, _ id: String, _ key: String, _ value: String
    ) async throws {
        var request = Virtufin_SetTagRequest()
        request.id = id
        request.key = key
        request.value = value
        _ = try await live.server.manager.setTag(request)
    }

    @Test func tagsAreReadAndReplacedWithoutAReconnect() async throws {
        try await Live.run { live in
            let id = try await connect(live, live.feed.url("/mute"), tags: ["a": "1"])
            try await setTag(live, id, "b", "2")
            var all = Virtufin_GetTagsRequest()
            all.id = id
            #expect(try await live.server.manager.getTags(all).tags == ["a": "1", "b": "2"])
            var one = Virtufin_GetTagRequest()
            one.id = id
            one.key = "b"
            #expect(try await live.server.manager.getTag(one).value == "2")
            one.key = "nobody"
            #expect(try await live.server.manager.getTag(one).value == "")
            var replace = Virtufin_SetTagsRequest()
            replace.id = id
            replace.tags = ["c": "3"]
            _ = try await live.server.manager.setTags(replace)
            #expect(try await live.server.manager.getTags(all).tags == ["c": "3"])
            let long = await refusal {
                try await setTag(live, id, String(repeating: "k", count: 129), "v")
            }
            #expect(long?.code == .invalidArgument)
            var filter = Virtufin_ListRequest()
            filter.filters = [.init()]
            filter.filters[0].key = "c"
            filter.filters[0].value = "3"
            #expect(try await live.server.manager.list(filter).connections.map(\.id) == [id])
            filter.filters[0].value = "4"
            #expect(try await live.server.manager.list(filter).connections.isEmpty == true)
            #expect(live.opened("/mute") == 1)
        }
    }

    // MARK: Send

    private func send(
        _ live: Live, _ id: String, _ text: String, timeout: Int32 = 0
    ) async throws -> String {
        var request = Virtufin_SendRequest()
        request.id = id
        request.message.append(contentsOf: Array(text.utf8))
        request.contentType = "application/json"
        request.timeoutMs = timeout
        let response = try await live.server.manager.send(request).response
        return String(decoding: response, as: UTF8.self)
    }

    @Test func aReplyGoesToItsCallerWithTheCallersIDAndIsNotPublished() async throws {
        try await Live.run { live in
            let id = try await connect(live, live.feed.url("/rpc"))
            try await startPublish(live, id, "t")
            let replies = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for number in 0..<50 {
                    group.addTask {
                        (number, try await send(live, id, #"{"id":7,"params":\#(number)}"#))
                    }
                }
                return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
            }
            for number in 0..<50 {
                #expect(replies[number] == #"{"id":7,"result":\#(number)}"#)
            }
            #expect(live.bus.texts(on: "t").isEmpty)
        }
    }

    @Test func aReplyThatDoesNotComeEndsTheCallAndNoOther() async throws {
        try await Live.run { live in
            let id = try await connect(live, live.feed.url("/mute"))
            let late = await refusal {
                _ = try await send(live, id, #"{"id":1}"#, timeout: 100)
            }
            #expect(late?.code == .deadlineExceeded)
            #expect(late?.message == "Request timeout")
            let text = await refusal { _ = try await send(live, id, "no json", timeout: 100) }
            #expect(text?.code == .invalidArgument)
            #expect(text?.message.contains("correlation") == true)
            let negative = await refusal { _ = try await send(live, id, "{}", timeout: -1) }
            #expect(negative?.code == .invalidArgument)
            #expect(live.server.isReady(id))
        }
    }

    @Test func aLostSocketEndsTheSendsThatWait() async throws {
        try await Live.run { live in
            let id = try await connect(live, live.feed.url("/mute"))
            async let waiting = refusal { _ = try await send(live, id, #"{"id":1}"#) }
            #expect(await eventually { live.feed.stats(of: "/mute").messagesReceived == 1 })
            live.feed.dropAll()
            let error = await waiting
            #expect(error?.code == .failedPrecondition)
            #expect(error?.message == "WebSocket is not connected")
        }
    }

    @Test func sendRawWritesTheBytesAsTheyAre() async throws {
        try await Live.run { live in
            let id = try await connect(live, live.feed.url("/echo"))
            try await startPublish(live, id, "t")
            for (bytes, type) in [
                (Array("text".utf8), ""), ([0, 255, 1], ""),
                (Array("bin".utf8), "application/octet-stream"),
            ] as [([UInt8], String)] {
                var request = Virtufin_SendRawRequest()
                request.id = id
                request.message.append(contentsOf: bytes)
                request.contentType = type
                _ = try await live.server.manager.sendRaw(request)
            }
            #expect(await eventually { live.bus.accepted(on: "t").count == 3 })
            let echoed = live.bus.accepted(on: "t")
            #expect(echoed.map(\.payload) == [Array("text".utf8), [0, 255, 1], Array("bin".utf8)])
            #expect(echoed.map(\.kind) == [.text, .binary, .binary])
            var wrong = Virtufin_SendRawRequest()
            wrong.id = id
            wrong.message.append(contentsOf: [0xFF])
            wrong.contentType = "text/plain"
            let request = wrong
            let error = await refusal { _ = try await live.server.manager.sendRaw(request) }
            #expect(error?.code == .invalidArgument)
        }
    }
}

/// Apart, since it waits for the upgrade's own deadline, 10 s.
@Suite(.timeLimit(.minutes(1))) struct ConnectDeadlineTests {
    @Test func aConnectThatHangsIsDeadlineExceededAndLeavesNothing() async throws {
        try await Live.run { live in
            var request = Virtufin_ConnectRequest()
            request.url = live.feed.url("/hang")
            request.autoReconnect = true
            do {
                _ = try await live.server.manager.connect(request)
                Issue.record("a connection that never opened was answered")
            } catch let error as RPCError {
                #expect(error.code == .deadlineExceeded)
            }
            #expect(live.server.server.store.desiredNames().isEmpty)
            #expect(await eventually { live.feed.connections == 0 })
        }
    }
}
