import Access
import GRPCCore
import ManagerAPI
import ManagerCore
import Testing

@testable import Manager

/// Calls about one connection, made at any instance.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ForwardingTests {
    private func refusal(_ body: () async throws -> some Any) async -> RPCError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? RPCError
        }
    }

    private func tag(_ id: String) -> Virtufin_SetTagRequest {
        var request = Virtufin_SetTagRequest()
        (request.id, request.key, request.value) = (id, "k", "v")
        return request
    }

    @Test func aCallGoesToTheOwner() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("one", at: "b")
            let manager = try rig.node("a").manager
            _ = try await manager.setTag(tag("one"))
            #expect(try rig.node("b").store.record("one")?.desired.effectiveLabels["k"] == "v")
            var get = Virtufin_GetTagRequest()
            (get.id, get.key) = ("one", "k")
            #expect(try await manager.getTag(get).value == "v")
            let object = try await rig.node("a").orchestrator.get(.with { $0.name = "one" })
            #expect(object.topic == "t-one")
            _ = try await rig.node("a").orchestrator.delete(.with { $0.name = "one" })
            #expect(try rig.node("b").store.record("one") == nil)
        }
    }

    @Test func whatTheOwnerRefusesIsToldInItsOwnWords() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("one", at: "b")
            var send = Virtufin_SendRequest()
            send.id = "one"
            let manager = try rig.node("a").manager
            let sent = send
            let error = await refusal { try await manager.send(sent) }
            #expect(error?.code == .failedPrecondition)
            #expect(error?.message == "WebSocket is not connected")
            rig.ownership.give("none", to: "b")
            let missing = await refusal { try await manager.setTag(tag("none")) }
            #expect(missing?.code == .notFound)
            #expect(missing?.message == "Connection not found")
        }
    }

    @Test func withoutForwardingTheAnswerIsThatOfTheOlderService() async throws {
        try await ClusterRig.run("a", "b", isForwarding: false) { rig in
            try await rig.put("one", at: "b")
            let manager = try rig.node("a").manager
            let error = await refusal { try await manager.setTag(tag("one")) }
            #expect(error?.code == .failedPrecondition)
            #expect(error?.message == "Connection owned by different instance: b")
            _ = try await rig.node("b").manager.setTag(tag("one"))
        }
    }

    @Test func aSenderThatIsBehindLearnsTheOwnerAndTriesOnceMore() async throws {
        try await ClusterRig.run("a", "b", "c") { rig in
            let shard = Shards.shard(of: "one")
            try await rig.put("one", at: "c")
            // b knows the truth, a still believes in b.
            rig.ownership.edit { $0.beliefs["a"] = [shard: ("b", 1)] }
            _ = try await rig.node("a").manager.setTag(tag("one"))
            #expect(try rig.node("c").store.record("one")?.desired.effectiveLabels["k"] == "v")
        }
    }

    @Test func aRingOfStaleOwnersEndsAfterTwoTries() async throws {
        try await ClusterRig.run("a", "b", "c") { rig in
            let shard = Shards.shard(of: "one")
            rig.ownership.edit { state in
                state.beliefs["a"] = [shard: ("b", 1)]
                state.beliefs["b"] = [shard: ("c", 2)]
                state.beliefs["c"] = [shard: ("a", 3)]
            }
            let manager = try rig.node("a").manager
            let error = await refusal { try await manager.setTag(tag("one")) }
            #expect(error?.code == .unavailable)
            #expect(error.map { Array($0.metadata[stringValues: "retry-after"]) } == ["2"])
            #expect(error?.metadata["wsm-not-owner"].contains { _ in true } == false)
        }
    }

    @Test func nobodyIsUnavailableWithATimeToWait() async throws {
        try await ClusterRig.run("a", "b") { rig in
            let manager = try rig.node("a").manager
            let error = await refusal { try await manager.setTag(tag("one")) }
            #expect(error?.code == .unavailable)
            #expect(
                error?.message
                    == "no instance serves one at the moment; try again in 2 seconds")
            #expect(error.map { Array($0.metadata[stringValues: "retry-after"]) } == ["2"])
        }
    }

    @Test func anOwnerThatMayNotActIsUnavailable() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("one", at: "b")
            rig.ownership.edit { _ = $0.frozen.insert(Shards.shard(of: "one")) }
            for name in ["a", "b"] {
                let manager = try rig.node(name).manager
                let error = await refusal { try await manager.setTag(tag("one")) }
                #expect(error?.code == .unavailable, "\(name)")
                #expect(error?.message.hasPrefix("one is being handed over") == true)
            }
        }
    }

    @Test func anOwnerThatIsGoneIsUnavailableWithinSeconds() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("one", at: "b")
            let address = rig.ownership.now.addresses["b"]
            try await rig.kill("b")
            rig.ownership.edit { $0.addresses["b"] = address }
            let manager = try rig.node("a").manager
            let error = await refusal { try await manager.setTag(tag("one")) }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("does not answer") == true)
        }
    }

    @Test func readsOfWhatNobodyServesComeFromTheStore() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("one", at: "b")
            try await rig.kill("b")
            let object = try await rig.node("a").orchestrator.get(.with { $0.name = "one" })
            #expect(object.reason == "NoOwner")
            let json = String(decoding: object.json, as: UTF8.self)
            #expect(json.contains(#""type":"Owned","status":"False","reason":"NoOwner""#))
            var get = Virtufin_GetTagsRequest()
            get.id = "one"
            #expect(try await rig.node("a").manager.getTags(get).tags == [:])
            let orchestrator = try rig.node("a").orchestrator
            let missing = await refusal {
                try await orchestrator.get(.with { $0.name = "not-there" })
            }
            #expect(missing?.code == .notFound)
        }
    }

    // MARK: Connect

    @Test func connectGoesToAMemberThatOwnsSomething() async throws {
        try await ClusterRig.run("a", "b") { rig in
            var request = Virtufin_ConnectRequest()
            request.url = "no url"
            let sent = request
            let manager = try rig.node("a").manager
            let nobody = await refusal { try await manager.connect(sent) }
            #expect(nobody?.code == .unavailable)
            rig.ownership.edit { state in
                for shard in 0..<Shards.count { state.owners[shard] = ("b", 7) }
            }
            // What it says of the URL proves that the owner looked at it.
            let error = await refusal { try await manager.connect(sent) }
            #expect(error?.code == .invalidArgument)
            #expect(rig.auditLines.contains { $0.hasPrefix("b:") && $0.contains("via") })
        }
    }

    // MARK: Who calls

    private static let tokens = """
        admin deploy admin-token-0123456
        read dash read-token-01234567

        """
    private static let admin: Metadata = ["authorization": "Bearer admin-token-0123456"]
    private static let reader: Metadata = ["authorization": "Bearer read-token-01234567"]

    @Test func theOwnerSeesAndWritesDownTheCallerAndNotThePeer() async throws {
        try await ClusterRig.run(
            "a", "b", tokens: Self.tokens, peerToken: "peer-token-0123456\n"
        ) { rig in
            try await rig.put("one", at: "b")
            let manager = try rig.node("a").manager
            _ = try await manager.setTag(tag("one"), metadata: Self.admin)
            let lines = rig.auditLines
            let line = "deploy admin virtufin.WebSocketManager/SetTag"
            #expect(lines.contains("a: \(line) OK"))
            #expect(lines.contains("b: \(line) via OK"))
            let refused = await refusal {
                try await manager.setTag(tag("one"), metadata: Self.reader)
            }
            #expect(refused?.code == .permissionDenied)
        }
    }

    @Test func aClientCannotSpeakForAnother() async throws {
        try await ClusterRig.run(
            "a", tokens: Self.tokens, peerToken: "peer-token-0123456\n"
        ) { rig in
            try await rig.put("one", at: "a")
            let manager = try rig.node("a").manager
            var forged = Self.reader
            for (key, value) in Hop().metadata + Caller.forged.metadata {
                forged.addString(value, forKey: key)
            }
            let attempt = forged
            let error = await refusal { try await manager.setTag(tag("one"), metadata: attempt) }
            #expect(error?.code == .permissionDenied)
            #expect(error?.message.hasPrefix("dash has the role read") == true)
            // The token of the peers opens nothing by itself.
            let bare = await refusal {
                try await manager.setTag(
                    tag("one"), metadata: ["authorization": "Bearer peer-token-0123456"])
            }
            #expect(bare?.code == .unauthenticated)
            let peer = Wsm_V1_Peer.Client(wrapping: try rig.node("a").client)
            let denied = await refusal {
                try await peer.listOpen(Wsm_V1_ListOpenRequest(), metadata: Self.admin)
            }
            #expect(denied?.code == .permissionDenied)
        }
    }

    @Test func whoKnowsThePeerTokenIsStillHeldToTheRoleOfWhomItNames() async throws {
        try await ClusterRig.run(
            "a", tokens: Self.tokens, peerToken: "peer-token-0123456\n"
        ) { rig in
            try await rig.put("one", at: "a")
            let manager = try rig.node("a").manager
            var metadata: Metadata = ["authorization": "Bearer peer-token-0123456"]
            var caller = Caller.forged
            caller.role = .read
            for (key, value) in Hop().metadata + caller.metadata {
                metadata.addString(value, forKey: key)
            }
            let sent = metadata
            let error = await refusal { try await manager.setTag(tag("one"), metadata: sent) }
            #expect(error?.code == .permissionDenied)
        }
    }
}

extension Caller {
    fileprivate static let forged = Caller(
        name: "root", role: .admin, means: .token, address: "192.0.2.1:1")
}
