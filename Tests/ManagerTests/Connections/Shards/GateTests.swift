import Feed
import ManagerCore
import Reconciler
import Spec
import TestKit
import Testing

@testable import Manager

/// What a closed gate keeps back, and that all goes on where it stopped.
@Suite(.serialized, .timeLimit(.minutes(1))) struct GateTests {
    @Test func aFenceKeepsTheSocketAndTheBufferAndLosesNothing() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            rig.one.takeUp(5, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            rig.send(1...3, to: "/mute")
            #expect(await eventually { rig.bus.texts(on: "c").count == 3 })
            rig.one.fence()
            rig.send(4...50, to: "/mute")
            #expect(await eventually { rig.one.traffic("c").receivedMessages == 50 })
            #expect(rig.one.traffic("c").bufferedMessages == 47)
            #expect(rig.bus.texts(on: "c").count == 3)
            let connection = try #require(rig.one.fleet.connection("c"))
            await #expect(throws: SendFailure.fenced) {
                try await connection.send([1], isText: false)
            }
            await #expect(throws: SendFailure.fenced) {
                _ = try await connection.request([1], isText: false, timeout: .seconds(1))
            }
            rig.one.unfence()
            #expect(await eventually { rig.bus.texts(on: "c").count == 50 })
            #expect(rig.bus.texts(on: "c") == rig.texts(1...50))
            let ids = rig.bus.accepted(on: "c").map(\.id)
            #expect(ids.allSatisfy { $0.epoch == 5 })
            #expect(ids.map(\.sequence) == Array(1...50))
            #expect(rig.feed.stats(of: "/mute").opened == 1)
            #expect(rig.feed.stats(of: "/mute").messagesReceived == 0)
            #expect(rig.bus.violations.isEmpty)
        }
    }

    @Test func aFenceHoldsBackDialsAndLifecycleEvents() async throws {
        try await TwoMembers.run { rig in
            rig.one.fence()
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = rig.one.takeUp(5, [c])
            await rig.one.loop.reconciled("c")
            #expect(rig.feed.accepted == 0)
            rig.one.lifecycle.publish(
                LifecycleEvent(
                    connectionID: "c", url: "", instanceID: "",
                    kind: .connected(reason: .connecting)
                ).run(uid: c.uid, sequence: 100, time: someTime, permit: gate), under: gate)
            #expect(!rig.one.lifecycle.isQuiet(gate))
            #expect(rig.bus.accepted.isEmpty)
            rig.one.unfence()
            #expect(await eventually { rig.one.isOpen("c") })
            #expect(await eventually { rig.one.lifecycle.isQuiet(gate) })
            #expect(rig.bus.lifecycle(of: "c").contains("connected"))
        }
    }

    @Test func socketsThatWereClosedForALongFenceComeBack() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            rig.one.takeUp(5, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            rig.one.fence()
            rig.one.shards.closeSockets()
            #expect(await eventually { rig.feed.stats(of: "/mute").open == 0 })
            await rig.one.loop.reconciled("c")
            #expect(rig.feed.stats(of: "/mute").opened == 1)
            rig.one.unfence()
            rig.one.shards.redial()
            #expect(await eventually { rig.one.isOpen("c") })
            #expect(rig.feed.stats(of: "/mute").opened == 2)
            rig.send(1...2, to: "/mute")
            #expect(await eventually { rig.bus.texts(on: "c") == rig.texts(1...2) })
        }
    }

    @Test func whatALostShardHeldIsDroppedAndCounted() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = rig.one.takeUp(5, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            // Each in turn: the loop may come before the node says so, or after it.
            rig.one.fence()
            rig.send(1...5, to: "/mute")
            #expect(await eventually { rig.one.traffic("c").bufferedMessages == 5 })
            rig.one.drop(gate, .deposed, [c])
            rig.one.unfence()
            #expect(rig.one.fleet.connection("c") == nil)
            #expect(rig.one.fleet.gate(for: "c") == nil)
            #expect(await eventually { rig.feed.stats(of: "/mute").open == 0 })
            #expect(await eventually { rig.one.fleet.totals().dropped[.fenced] == 5 })
            #expect(rig.one.fleet.totals().bufferedMessages == 0)
            #expect(await eventually { rig.one.lifecycle.isQuiet(gate) })
            #expect(rig.bus.texts(on: "c").isEmpty)
            #expect(!rig.bus.lifecycle(of: "c").contains("disconnected"))
        }
    }

    @Test func aConnectionThatTheLoopReleasedBeforeIsFencedWithItsShard() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = rig.one.takeUp(5, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            rig.one.fence()
            rig.send(1...5, to: "/mute")
            #expect(await eventually { rig.one.traffic("c").bufferedMessages == 5 })
            rig.one.records.remove("c")
            rig.one.loop.connectionChanged("c")
            #expect(await eventually { rig.one.fleet.connection("c") == nil })
            rig.one.shards.drop(gate, .foreignTitle)
            rig.one.unfence()
            #expect(await eventually { rig.one.fleet.totals().dropped[.fenced] == 5 })
            #expect(rig.one.fleet.totals().dropped[.connectionDeleted] == 0)
            #expect(rig.bus.texts(on: "c").isEmpty)
        }
    }

    @Test func aTakeOverIsToldBeforeAnythingElse() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/ticker?rate=100")
            rig.two.takeUp(9, from: rig.one.title(5), how: .takeover, [c])
            #expect(await eventually { rig.bus.texts(on: "c").count > 3 })
            let first = try #require(rig.bus.accepted.first)
            #expect(first.type.hasSuffix(".gap"))
            let gap = String(decoding: first.payload, as: UTF8.self)
            #expect(gap.contains(#""from":{"epoch":"5"}"#))
            #expect(gap.contains(#""to":{"epoch":"9","sequence":"1","#))
            #expect(gap.contains(#""cause":"takeover""#))
            #expect(!gap.contains("matched"))
            #expect(rig.bus.accepted(on: "c").allSatisfy { $0.id.epoch == 9 })
        }
    }

    @Test(arguments: [(former: UInt64(5), isPublished: true), (former: 7, isPublished: false)])
    func whatWasSpilledUnderTheTitleBeforeIsPublishedAndElseCounted(
        former: UInt64, isPublished: Bool
    ) async throws {
        let directory = try TemporaryDirectory()
        let bus = RecordingBus()
        let feed = try await FeedServer.start()
        let c = DesiredConnection.feed(feed, "c", "/mute") {
            $0.buffer.overflow = .spill
            $0.buffer.messages = 2
        }
        let first = try ShardMember(1, bus: bus, spill: SpillDirectory(path: directory.path))
        first.takeUp(5, [c])
        #expect(await eventually { first.isOpen("c") })
        #expect(await eventually { bus.lifecycle(of: "c").contains("connected") })
        first.fence()
        for number in 1...9 { feed.broadcast("f\(number)", to: "/mute") }
        #expect(await eventually { first.traffic("c").receivedMessages == 9 })
        await first.stop()
        let second = try ShardMember(2, bus: bus, spill: SpillDirectory(path: directory.path))
        second.takeUp(9, from: first.title(former), how: .takeover, [c])
        #expect(await eventually { second.isOpen("c") })
        feed.broadcast("new", to: "/mute")
        #expect(await eventually { bus.texts(on: "c").last == "new" })
        let old = (1...9).map { "f\($0)" }
        #expect(bus.texts(on: "c") == (isPublished ? old : []) + ["new"])
        let ids = bus.accepted(on: "c").dropLast().map(\.id)
        #expect(ids.map(\.sequence) == (isPublished ? Array(1...9) : []))
        #expect(ids.allSatisfy { $0.epoch == 5 })
        #expect(second.traffic("c").dropped[.fenced] == (isPublished ? 0 : 9))
        await second.stop()
        await feed.stop()
    }

    @Test func aCallThatEndsTooLateIsCountedAndToldOf() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            rig.one.takeUp(5, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            #expect(await eventually { rig.bus.lifecycle(of: "c").contains("connected") })
            rig.bus.mode = .slow
            rig.send(1...3, to: "/mute")
            #expect(await eventually { rig.bus.waitingCalls == 1 })
            rig.one.outlive(by: ClusterTiming.standard.publish)
            rig.bus.mode = .accepting
            #expect(await eventually { rig.one.metrics.publishedLate.value >= 1 })
            rig.one.unfence()
            #expect(await eventually { rig.bus.texts(on: "c") == rig.texts(1...3) })
            rig.feed.dropAll()
            #expect(
                await eventually {
                    rig.bus.accepted(on: LifecycleEvent.topic).contains {
                        String(decoding: $0.payload, as: UTF8.self).contains("published_late")
                    }
                })
        }
    }
}
