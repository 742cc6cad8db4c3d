import GRPCCore
import ManagerAPI
import ManagerCore
import NIOCore
import NIOPosix
import Spec
import Synchronization
import TestKit
import Testing

@testable import Manager

/// Streams of all instances, asked for at one.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ClusterStreamsTests {
    /// What a stream has told so far.
    private final class Told: Sendable {
        private let log = Mutex<[String]>([])
        var lines: [String] { log.withLock { $0 } }

        func add(_ text: String) { log.withLock { $0.append(text) } }

        func has(_ text: String) async -> Bool {
            await eventually(within: .seconds(15)) { self.lines.contains(text) }
        }
    }

    /// Ends the stream with the body, however that ends.
    private func during(
        _ stream: Task<some Sendable, any Error>, _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch {
            stream.cancel()
            throw error
        }
        stream.cancel()
        _ = await stream.result
    }

    // MARK: Watch

    private func watch(
        _ rig: ClusterRig, at instance: String, _ request: Wsm_V1_WatchRequest = .init(),
        _ body: (Told) async throws -> Void
    ) async throws {
        let told = Told()
        let orchestrator = try rig.node(instance).orchestrator
        let task = Task {
            try await orchestrator.watch(request) { response in
                for try await message in response.messages {
                    for change in message.changes {
                        let ownerless = change.object.reason == "NoOwner" ? " ownerless" : ""
                        told.add("\(change.action) \(change.object.name)\(ownerless)")
                    }
                }
            }
        }
        try await during(task) { try await body(told) }
    }

    @Test func aWatchSeesWhatIsAtEveryInstance() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("here", at: "a")
            try await rig.put("there", at: "b")
            try await watch(rig, at: "a") { told in
                #expect(await told.has("synced "))
                // A connection may change right after.
                let before = told.lines.prefix { $0 != "synced " }
                #expect(Set(before) == ["present here", "present there"])
                try await rig.put("new", at: "b")
                #expect(await told.has("changed new"))
                try await rig.node("b").store.remove("there")
                #expect(await told.has("deleted there"))
            }
        }
    }

    @Test func aMoveIsNoDeletion() async throws {
        try await ClusterRig.run("a", "b", "c") { rig in
            try await rig.put("one", at: "b")
            try await watch(rig, at: "a", .with { $0.names = ["one"] }) { told in
                #expect(await told.has("synced "))
                try await rig.move("one", from: "b", to: "c")
                #expect(await told.has("changed one"))
                try await rig.node("c").store.remove("one")
                #expect(await told.has("deleted one"))
                #expect(told.lines.count { $0 == "deleted one" } == 1)
            }
        }
    }

    @Test func whatADeadInstanceHadIsShownOwnerlessUntilItIsTakenOver() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("one", at: "b")
            try await rig.put("two", at: "b")
            try await watch(rig, at: "a") { told in
                #expect(await told.has("synced "))
                try await rig.kill("b")
                #expect(await told.has("changed one ownerless"))
                try await rig.move("one", from: "b", to: "a")
                #expect(await told.has("changed one"))
                try await rig.node("b").store.remove("two")
                #expect(await told.has("deleted two"))
                #expect(!told.lines.contains("deleted one"))
            }
        }
    }

    @Test func aMemberThatJoinsIsWatchedToo() async throws {
        try await ClusterRig.run("a") { rig in
            try await watch(rig, at: "a") { told in
                #expect(await told.has("synced "))
                try await rig.start("b")
                try await rig.put("one", at: "b")
                #expect(await told.has("changed one"))
            }
        }
    }

    // MARK: Topics

    private func publish(
        _ rig: ClusterRig, _ instance: String, _ connection: String, epoch: UInt64,
        _ sequences: ClosedRange<UInt64>
    ) async throws {
        let uid = try #require(ConnectionUID(rawValue: connection))
        let events = sequences.map { sequence in
            OutboundEvent(
                topic: "t", id: EventID(uid: uid, epoch: epoch, sequence: sequence),
                type: OutboundEvent.messageType, source: "s/\(connection)",
                time: someTime, payload: Array("x".utf8), kind: .text,
                attributes: [.init("websocketid", connection)])
        }
        _ = try await rig.node(instance).bus.publish(events)
    }

    /// Follows the topic `t` and hands over each message, and the marks after it.
    private func subscribe(
        _ rig: ClusterRig, at instance: String, _ request: Wsm_V1_SubscribeRequest,
        each: @escaping @Sendable () async -> Void = {}, _ body: (Told) async throws -> Void
    ) async throws {
        let told = Told()
        var asked = request
        asked.topic = "t"
        let sent = asked
        let orchestrator = try rig.node(instance).orchestrator
        let task = Task {
            try await orchestrator.subscribe(sent) { response in
                for try await message in response.messages {
                    await each()
                    for one in message.messages {
                        told.add("\(one.connection) \(one.epoch).\(one.sequence) \(one.instance)")
                    }
                }
            }
        }
        try await during(task) { try await body(told) }
    }

    @Test func aSubscriptionSeesTheMessagesOfAllMembers() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await publish(rig, "a", "x", epoch: 1, 1...2)
            try await publish(rig, "b", "y", epoch: 1, 1...2)
            try await subscribe(rig, at: "a", .with { $0.start = .oldest }) { told in
                #expect(await told.has("x 1.2 a"))
                #expect(await told.has("y 1.2 b"))
                try await rig.start("c")
                try await publish(rig, "c", "z", epoch: 1, 1...1)
                #expect(await told.has("z 1.1 c"))
                #expect(told.lines.count == 5)
            }
        }
    }

    /// Subscribes at `a`, and publishes once the headers of the answer are there.
    private func subscribeAndThen(
        _ rig: ClusterRig, _ publishAll: @escaping @Sendable () async throws -> Void,
        _ body: (Told) async throws -> Void
    ) async throws {
        let told = Told()
        let orchestrator = try rig.node("a").orchestrator
        let task = Task {
            try await orchestrator.subscribe(.with { ($0.topic, $0.start) = ("t", .newest) }) {
                response in
                _ = try response.accepted.get()
                try await publishAll()
                for try await message in response.messages {
                    for one in message.messages { told.add("\(one.connection) \(one.sequence)") }
                }
            }
        }
        try await during(task) { try await body(told) }
    }

    @Test(arguments: 1...5) func whoHasTheHeadersMissesNothingOfAnyMember(_: Int) async throws {
        try await ClusterRig.run("a", "b", "c") { rig in
            for name in ["a", "b", "c"] { try await publish(rig, name, name, epoch: 1, 1...3) }
            try await subscribeAndThen(rig) {
                for name in ["c", "b", "a"] { try await publish(rig, name, name, epoch: 1, 4...5) }
            } _: { told in
                for name in ["a", "b", "c"] { #expect(await told.has("\(name) 5")) }
                #expect(told.lines.sorted() == ["a 4", "a 5", "b 4", "b 5", "c 4", "c 5"])
            }
        }
    }

    @Test func aMemberThatDoesNotAnswerHoldsUpNoSubscription() async throws {
        let mute = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(mute.localAddress?.port)
        try await ClusterRig.run("a", "b") { rig in
            rig.ownership.edit { state in
                state.addresses["mute"] = "127.0.0.1:\(port)"
                state.members.append("mute")
            }
            try await subscribeAndThen(rig) {
                try await publish(rig, "b", "b", epoch: 1, 1...1)
            } _: { told in
                #expect(await told.has("b 1"))
            }
        }
        try await mute.close()
    }

    @Test func aSubscriptionGoesOnOverAChangeOfOwner() async throws {
        try await ClusterRig.run("a", "b", "c") { rig in
            try await publish(rig, "b", "x", epoch: 1, 1...4)
            try await publish(rig, "c", "y", epoch: 7, 1...2)
            try await publish(rig, "c", "x", epoch: 2, 1...3)
            // The caller had come to x 1.3 and to y 7.2 when its stream broke.
            var marks: [Wsm_V1_TopicMark] = []
            for (name, position) in [("b", 3), ("c", 2)] as [(String, UInt64)] {
                var mark = Wsm_V1_TopicMark()
                mark.instance = name
                mark.life = try rig.node(name).running.server.orchestrator.life
                mark.position = position
                marks.append(mark)
            }
            let after = marks
            try await subscribe(
                rig, at: "a", .with { ($0.start, $0.after) = (.after, after) }
            ) { told in
                #expect(await told.has("x 2.3 c"))
                #expect(await told.has("x 1.4 b"))
                #expect(told.lines.sorted() == ["x 1.4 b", "x 2.1 c", "x 2.2 c", "x 2.3 c"])
            }
        }
    }

    @Test func aSubscriptionGoesOnWhereTheMarksSay() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await publish(rig, "a", "x", epoch: 1, 1...3)
            try await publish(rig, "b", "y", epoch: 1, 1...3)
            var marks: [Wsm_V1_TopicMark] = []
            for name in ["a", "b"] {
                var mark = Wsm_V1_TopicMark()
                mark.instance = name
                mark.life = try rig.node(name).running.server.orchestrator.life
                mark.position = 2
                marks.append(mark)
            }
            // b lives anew, as far as the mark knows: everything it holds comes again.
            marks[1].life += 1
            let after = marks
            try await subscribe(
                rig, at: "b", .with { ($0.start, $0.after) = (.after, after) }
            ) { told in
                #expect(await told.has("x 1.3 a"))
                #expect(await told.has("y 1.3 b"))
                #expect(
                    told.lines.sorted() == ["x 1.3 a", "y 1.1 b", "y 1.2 b", "y 1.3 b"])
            }
        }
    }

    @Test func aConnectionThatMovesKeepsItsOrder() async throws {
        try await ClusterRig.run("a", "b", "c") { rig in
            let reader = Told()
            try await publish(rig, "b", "x", epoch: 1, 1...1)
            try await subscribe(
                rig, at: "a", .with { $0.start = .oldest },
                each: {
                    // The reader stands still for a while, so that b's stream lags behind.
                    guard reader.lines.first == "slow" else { return }
                    _ = await reader.has("go")
                }
            ) { told in
                #expect(await told.has("x 1.1 b"))
                reader.add("slow")
                for start in stride(from: UInt64(2), to: 1_000, by: 250) {
                    try await publish(rig, "b", "x", epoch: 1, start...start + 249)
                }
                try await publish(rig, "c", "x", epoch: 2, 1...10)
                reader.add("go")
                #expect(await told.has("x 2.10 c"))
                let order = told.lines.map { String($0.split(separator: " ")[1]) }
                let expected = (1...1_001).map { "1.\($0)" } + (1...10).map { "2.\($0)" }
                let isInOrder = order == expected
                #expect(isInOrder, "\(order.count) messages, the last \(order.suffix(3))")
            }
        }
    }

    @Test func aSlowReaderThatLeavesEndsEveryStream() async throws {
        try await ClusterRig.run("a", "b", "c") { rig in
            let reader = Told()
            try await publish(rig, "b", "x", epoch: 1, 1...1)
            try await subscribe(
                rig, at: "a", .with { $0.start = .oldest },
                each: {
                    guard reader.lines.first == "slow" else { return }
                    // Until the task is cancelled.
                    try? await Task.sleep(for: .seconds(60))
                }
            ) { told in
                #expect(await told.has("x 1.1 b"))
                reader.add("slow")
                for start in stride(from: UInt64(2), to: 40_000, by: 500) {
                    try await publish(rig, "b", "x", epoch: 1, start...start + 499)
                }
                try await publish(rig, "c", "x", epoch: 2, 1...500)
            }
            #expect(await eventually { rig.openStreams == 0 })
        }
    }

    // MARK: Events

    @Test func eventsAreOfAllMembers() async throws {
        try await ClusterRig.run("a", "b") { rig in
            for (name, second) in [("b", 1), ("a", 2), ("b", 3)] {
                let uid = try #require(ConnectionUID(rawValue: "u"))
                let time = someTime.nanosecondsSinceEpoch + Int64(second) * 1_000_000_000
                let event = OutboundEvent(
                    topic: LifecycleEvent.topic,
                    id: EventID(uid: uid, epoch: 1, sequence: UInt64(second)), type: "t",
                    source: "s", time: WallTime(nanosecondsSinceEpoch: time),
                    payload: Array("{}".utf8), kind: .json,
                    attributes: [.init("websocketid", name)])
                _ = try await rig.node(name).bus.publish([event])
            }
            let held = Told()
            try await rig.node("a").orchestrator.events(.with { $0.onlyHeld = true }) { response in
                for try await message in response.messages {
                    for event in message.cloudevents { held.add(Self.id(event)) }
                }
            }
            #expect(held.lines == ["u.1.1", "u.1.2", "u.1.3"])
            let told = Told()
            let orchestrator = try rig.node("a").orchestrator
            let task = Task {
                try await orchestrator.events(.with { $0.replay = true }) { response in
                    for try await message in response.messages {
                        for event in message.cloudevents { told.add(Self.id(event)) }
                    }
                }
            }
            #expect(await told.has("u.1.2"))
            #expect(await told.has("u.1.3"))
            #expect(told.lines.count == 3)
            task.cancel()
            _ = await task.result
        }
    }

    private static func id(_ event: some Sequence<UInt8>) -> String {
        guard case .string(let id)? = (try? JSONValue.parse(Array(event)))?["id"] else { return "" }
        return id
    }
}
