import Feed
import ManagerCore
import Reconciler
import Spec
import TestKit
import Testing

@testable import Manager

/// A shard moves from one fleet to another while its feed sends the same frames to both sockets.
@Suite(.serialized, .timeLimit(.minutes(1))) struct HandOverTests {
    private let from: UInt64 = 5
    private let to: UInt64 = 9

    /// The first steps: the owner serves, the heir listens.
    private func begin(
        _ rig: TwoMembers, _ connections: [DesiredConnection], path: String = "/mute"
    ) async -> ShardGate {
        let gate = rig.one.takeUp(from, connections)
        #expect(await eventually { connections.allSatisfy { rig.one.isOpen($0.name) } })
        rig.two.shards.shadow(
            shard: gate.shard, from: rig.one.title(from), connections.map(\.live))
        let shadows = connections.count { $0.spec.overlap }
        #expect(
            await eventually { rig.feed.stats(of: path).open == connections.count + shadows })
        return gate
    }

    /// The same for one connection, until the owner has published ten frames and the heir is ready.
    private func beginWithTen(_ rig: TwoMembers, _ c: DesiredConnection) async -> ShardGate {
        let gate = await begin(rig, [c])
        rig.send(1...10, to: "/mute")
        #expect(await eventually { rig.two.reports.seen.ready.count == 1 })
        #expect(await eventually { rig.bus.texts(on: "c").count == 10 })
        return gate
    }

    /// Steps 4 to 8, with what is sent while nobody publishes.
    @discardableResult
    private func cutOver(
        _ rig: TwoMembers, _ gate: ShardGate, _ connections: [DesiredConnection],
        handsDigests: Bool = true, alsoPublished: [String] = [], meanwhile: () async -> Void = {}
    ) async -> ShardGate {
        rig.one.shards.stopReading(gate, stop: 1)
        #expect(await eventually { rig.one.reports.seen.drained.count == 1 })
        gate.set(.frozen)
        if handsDigests {
            var digests = rig.one.reports.seen.drained[0]
            digests[0].frames += alsoPublished.map { text in
                Array(text.utf8).withUnsafeBytes { FrameDigest.of($0, isText: true) }
            }
            rig.two.shards.keepDigests(shard: gate.shard, from: rig.one.title(from), digests)
        }
        await meanwhile()
        rig.one.drop(gate, .handedOver, connections)
        return rig.two.takeUp(to, from: rig.one.title(from), how: .handover, connections)
    }

    @Test func theEndOfTheHeirLeavesNoSocketOfAShadow() async throws {
        try await TwoMembers.run { rig in
            let all = ["c", "d"].map { DesiredConnection.feed(rig.feed, $0, "/mute") }
                .filter { $0.shard == Shards.shard(of: "c") }
            let gate = await begin(rig, all)
            rig.send(1...5, to: "/mute")
            await rig.two.shards.endShadows(within: .seconds(10))
            #expect(rig.two.shards.shadowConnections.isEmpty)
            #expect(await eventually { rig.feed.stats(of: "/mute").open == all.count })
            #expect(
                await eventually {
                    rig.two.metrics.disconnects.value(.init(cause: .fenced, code: .goingAway)) == 1
                })
            rig.one.drop(gate, .released, all)
        }
    }

    @Test func nothingIsMissingAndNothingComesTwice() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = await begin(rig, [c])
            rig.send(1...20, to: "/mute")
            #expect(await eventually { rig.two.reports.seen.ready == [rig.one.title(from)] })
            #expect(await eventually { rig.bus.texts(on: "c").count == 20 })
            rig.one.shards.collectDigests(gate)
            #expect(await eventually { rig.one.reports.seen.digests.count == 1 })
            rig.two.shards.keepDigests(
                shard: gate.shard, from: rig.one.title(from), rig.one.reports.seen.digests[0])
            rig.send(21...30, to: "/mute")
            await cutOver(rig, gate, [c]) {
                rig.send(31...40, to: "/mute")
                // Whatever the old owner has read is published, or waits with the heir.
                #expect(rig.bus.texts(on: "c").count <= 30)
            }
            rig.send(41...50, to: "/mute")
            #expect(await eventually { rig.bus.texts(on: "c").count >= 50 })
            #expect(rig.bus.texts(on: "c") == rig.texts(1...50))
            let ids = rig.bus.accepted(on: "c").map(\.id)
            let old = ids.filter { $0.epoch == from }
            let new = ids.filter { $0.epoch == to }
            #expect(ids == old + new)
            #expect(old.map(\.sequence) == Array(1...UInt64(old.count)))
            #expect(new.map(\.sequence) == Array(1...UInt64(new.count)))
            let gap = try #require(rig.gaps("c").first)
            #expect(rig.gaps("c").count == 1)
            #expect(gap.contains(#""from":{"epoch":"5","sequence":"\#(old.count)"}"#))
            #expect(gap.contains(#""to":{"epoch":"9","sequence":"1","#))
            #expect(gap.contains(#""cause":"handover""#) && gap.contains(#""matched":"exact""#))
            let all = rig.bus.accepted
            let told = all.firstIndex { $0.type.hasSuffix(".gap") }
            let first = all.firstIndex { $0.topic == "c" && $0.id.epoch == to }
            #expect(try #require(told) < (try #require(first)), "the event comes first")
            #expect(rig.two.traffic("c").addUp)
            #expect(rig.bus.violations.isEmpty)
            #expect(await eventually { rig.feed.stats(of: "/mute").open == 1 })
            #expect(rig.feed.stats(of: "/mute").opened == 2)
        }
    }

    @Test func whatTheOwnerBeforePublishedIsHandedOnWhenTheShardMovesOnAtOnce() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let first = await begin(rig, [c])
            rig.send(1...10, to: "/mute")
            #expect(await eventually { rig.two.reports.seen.ready.count == 1 })
            let second = await cutOver(rig, first, [c]) { rig.send([11], to: "/mute") }
            #expect(await eventually { rig.bus.texts(on: "c") == rig.texts(1...11) })
            rig.two.shards.stopReading(second, stop: 1)
            #expect(await eventually { rig.two.reports.seen.drained.count == 1 })
            let before = try #require(rig.one.reports.seen.drained[0].first)
            let after = try #require(rig.two.reports.seen.drained[0].first)
            let new = rig.bus.accepted(on: "c").count { $0.id.epoch == to }
            #expect(after.frames.dropLast(new) == before.frames[...])
            #expect(after.frames.count == 11 && after.lastSequence == UInt64(new))
        }
    }

    @Test func whatTheOwnerBeforeHasReadFirstIsDroppedWhenItComes() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = await beginWithTen(rig, c)
            await cutOver(rig, gate, [c], alsoPublished: rig.texts(11...13))
            rig.send(11...12, to: "/mute")
            rig.send(13...15, to: "/mute")
            #expect(await eventually { rig.bus.texts(on: "c").count >= 12 })
            #expect(rig.bus.texts(on: "c") == rig.texts(1...10) + rig.texts(14...15))
            #expect(rig.gaps("c")[0].contains(#""matched":"exact""#))
            #expect(await eventually { rig.two.traffic("c").published == 2 })
            #expect(rig.two.traffic("c").addUp)
        }
    }

    @Test func manyConnectionsMoveUnderLoad() async throws {
        try await TwoMembers.run { rig in
            let names = namesOfOneShard(8)
            let connections = names.map { DesiredConnection.feed(rig.feed, $0, "/mute") }
            let gate = await begin(rig, connections)
            let sending = Task {
                for number in 1...2_000 {
                    rig.send([number], to: "/mute")
                    if number % 20 == 0 { try? await Task.sleep(for: .milliseconds(1)) }
                }
            }
            #expect(await eventually { rig.two.reports.seen.ready.count == 1 })
            await cutOver(rig, gate, connections)
            await sending.value
            for name in names {
                #expect(await eventually { rig.bus.texts(on: name).count >= 2_000 })
                #expect(rig.bus.texts(on: name) == rig.texts(1...2_000))
                #expect(rig.gaps(name).count == 1)
                #expect(rig.gaps(name)[0].contains(#""matched":"exact""#))
            }
            #expect(rig.bus.violations.isEmpty)
        }
    }

    @Test func framesThatRepeatThemselvesComeAgainRatherThanGetLost() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = await begin(rig, [c])
            rig.send(Array(repeating: 1, count: 10), to: "/mute")
            #expect(await eventually { rig.two.reports.seen.ready.count == 1 })
            rig.send(Array(repeating: 1, count: 300), to: "/mute")
            #expect(await eventually { rig.bus.texts(on: "c").count == 310 })
            // Sent is not read: without the last of them the place would be plain.
            let owned = rig.one.fleet.observe("c")?.traffic.receivedBytes
            #expect(
                await eventually {
                    rig.two.shards.shadowConnections.map(\.observed.traffic.receivedBytes) == [
                        owned
                    ]
                })
            await cutOver(rig, gate, [c]) { rig.send([2], to: "/mute") }
            #expect(await eventually { rig.bus.texts(on: "c").last == "f2" })
            #expect(rig.gaps("c")[0].contains(#""matched":"ambiguous""#))
            #expect(rig.bus.accepted(on: "c").count > 311)
            let new = rig.bus.accepted(on: "c").filter { $0.id.epoch == to }
            #expect(new.map(\.id.sequence) == Array(1...UInt64(new.count)))
        }
    }

    @Test func withoutDigestsAllThatWasReadComesAgain() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = await beginWithTen(rig, c)
            await cutOver(rig, gate, [c], handsDigests: false)
            #expect(await eventually { rig.bus.texts(on: "c").count == 20 })
            #expect(rig.bus.texts(on: "c") == rig.texts(1...10) + rig.texts(1...10))
            #expect(rig.gaps("c")[0].contains(#""matched":"none""#))
        }
    }

    @Test func aShadowWhoseSocketDropsBeginsAnewAndTheOwnerIsTold() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            _ = await begin(rig, [c])
            rig.send(1...3, to: "/mute")
            #expect(await eventually { rig.bus.texts(on: "c").count == 3 })
            #expect(rig.one.reports.seen.dropped.isEmpty)
            rig.feed.dropAll()
            #expect(await eventually { rig.one.reports.seen.dropped == [rig.one.title(from)] })
            #expect(await eventually { rig.feed.stats(of: "/mute").opened == 4 })
            #expect(rig.two.reports.seen.dropped.isEmpty, "a shadow is nobody's socket")
            #expect(await eventually { rig.two.metrics.shadowMessages.value(.discarded) == 3 })
            rig.send(4...8, to: "/mute")
            #expect(await eventually { rig.two.reports.seen.ready.count == 1 })
            #expect(rig.bus.lifecycle(of: "c").count { $0 == "connected" } <= 2)
        }
    }

    @Test func anOwnerWhoseSocketDropsLeavesTheDialToItsHeir() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = await begin(rig, [c])
            rig.one.shards.collectDigests(gate)
            #expect(await eventually { rig.one.reports.seen.digests.count == 1 })
            rig.feed.dropAll()
            #expect(await eventually { rig.one.reports.seen.dropped.count == 1 })
            rig.one.shards.stopReading(gate, stop: 1)
            #expect(await eventually { rig.one.reports.seen.drained.count == 1 })
            #expect(await eventually { rig.feed.stats(of: "/mute").opened == 3 })
            await rig.one.loop.reconciled("c")
            #expect(rig.feed.stats(of: "/mute").opened == 3, "the heir's second socket alone")
            rig.one.shards.resume(gate)
            #expect(await eventually { rig.one.isOpen("c") }, "called off: it dials at once")
        }
    }

    @Test func aRemoteThatBearsOneSocketIsDialledAfterwards() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute") { $0.overlap = false }
            let gate = await begin(rig, [c])
            #expect(rig.two.reports.seen.ready == [rig.one.title(from)])
            rig.send(1...4, to: "/mute")
            #expect(await eventually { rig.bus.texts(on: "c").count == 4 })
            #expect(rig.feed.stats(of: "/mute").opened == 1)
            await cutOver(rig, gate, [c])
            #expect(await eventually { rig.two.isOpen("c") })
            rig.send(5...6, to: "/mute")
            #expect(await eventually { rig.bus.texts(on: "c") == rig.texts(1...6) })
            #expect(rig.gaps("c").count == 1)
            #expect(rig.gaps("c")[0].contains(#""from":{"epoch":"5","sequence":"4"}"#))
            #expect(rig.gaps("c")[0].contains(#""matched":"none""#))
        }
    }

    @Test func aShadowThatIsForNothingLeavesNoTrace() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = await begin(rig, [c])
            rig.send(1...5, to: "/mute")
            #expect(await eventually { rig.two.reports.seen.ready.count == 1 })
            rig.two.shards.dropShadow(shard: gate.shard, from: rig.one.title(from))
            #expect(await eventually { rig.feed.stats(of: "/mute").open == 1 })
            #expect(await eventually { rig.two.metrics.shadowMessages.value(.discarded) == 5 })
            var seen: [String] = []
            rig.two.shards.forEachObserved { rows in
                seen += rows.filter { $0.facts != nil }.map(\.name)
            }
            #expect(seen.isEmpty)
            #expect(rig.two.shards.desiredTable().count == 0)
            var facts: [String: ObservedFacts] = [:]
            rig.one.shards.forEachObserved { rows in
                for row in rows { facts[row.name] = row.facts }
            }
            let snapshot = try #require(rig.one.shards.observe("c"))
            #expect(facts == ["c": ObservedFacts(snapshot)])
            #expect(await eventually { rig.bus.texts(on: "c") == rig.texts(1...5) })
            #expect(rig.one.isOpen("c"))
        }
    }

    @Test func aRecordThatChangedMeanwhileHoldsAndOneThatIsNewIsDialled() async throws {
        try await TwoMembers.run { rig in
            var c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = await begin(rig, [c])
            rig.send(1...5, to: "/mute")
            #expect(await eventually { rig.two.reports.seen.ready.count == 1 })
            #expect(await eventually { rig.bus.texts(on: "c").count == 5 })
            rig.one.shards.stopReading(gate, stop: 1)
            #expect(await eventually { rig.one.reports.seen.drained.count == 1 })
            rig.two.shards.keepDigests(
                shard: gate.shard, from: rig.one.title(from), rig.one.reports.seen.drained[0])
            rig.send(6...7, to: "/mute")
            rig.one.drop(gate, .handedOver, [c])
            let before = c
            c.spec.topic = "other"
            _ = c.settle(since: before)
            rig.two.takeUp(to, from: rig.one.title(from), how: .handover, [c])
            #expect(await eventually { rig.bus.texts(on: "other") == rig.texts(6...7) })
            #expect(rig.feed.stats(of: "/mute").opened == 2)
        }
    }

    // MARK: Coming to rest

    @Test func aHandOverThatIsCalledOffGoesOnUnderTheSameEpoch() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = rig.one.takeUp(from, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            rig.send(1...5, to: "/mute")
            #expect(await eventually { rig.bus.texts(on: "c").count == 5 })
            rig.one.shards.stopReading(gate, stop: 1)
            #expect(await eventually { rig.one.reports.seen.drained.count == 1 })
            #expect(!gate.mayAct)
            let digests = try #require(rig.one.reports.seen.drained[0].first)
            #expect(digests.lastSequence == 5 && digests.frames.count == 5)
            rig.send(6...9, to: "/mute")
            rig.one.shards.resume(gate)
            #expect(await eventually { rig.bus.texts(on: "c") == rig.texts(1...9) })
            #expect(rig.bus.accepted(on: "c").allSatisfy { $0.id.epoch == from })
            #expect(rig.feed.stats(of: "/mute").opened == 1)
        }
    }

    @Test func aShardIsAtRestOnlyWhenTheBusHasAnswered() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = rig.one.takeUp(from, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            #expect(await eventually { rig.bus.lifecycle(of: "c").contains("connected") })
            rig.bus.mode = .stalled
            rig.send(1...4, to: "/mute")
            #expect(await eventually { rig.bus.waitingCalls == 1 })
            rig.one.shards.stopReading(gate, stop: 1)
            // The loop has passed, so the connection has been asked.
            await rig.one.loop.reconciled("c")
            #expect(rig.one.reports.seen.drained.isEmpty)
            rig.bus.mode = .accepting
            #expect(await eventually { rig.one.reports.seen.drained.count == 1 })
            #expect(rig.bus.texts(on: "c") == rig.texts(1...4))
        }
    }

    @Test func aDeletedConnectionThatStillPublishesHoldsTheShardUp() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = rig.one.takeUp(from, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            #expect(await eventually { rig.bus.lifecycle(of: "c").contains("connected") })
            rig.bus.mode = .stalled
            rig.send(1...2, to: "/mute")
            #expect(await eventually { rig.bus.waitingCalls == 1 })
            rig.one.records.remove("c")
            rig.one.loop.connectionChanged("c")
            #expect(await eventually { rig.one.fleet.connection("c") == nil })
            rig.one.shards.stopReading(gate, stop: 1)
            #expect(rig.one.reports.seen.drained.isEmpty)
            rig.bus.mode = .accepting
            #expect(await eventually { rig.one.reports.seen.drained == [[]] })
            #expect(rig.bus.texts(on: "c") == rig.texts(1...2))
        }
    }

    @Test func aReplyIsWaitedForAndThenItsCallerIsToldToTryAgain() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = rig.one.takeUp(from, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            let connection = try #require(rig.one.fleet.connection("c"))
            async let reply = connection.request(
                Array(#"{"q":1}"#.utf8), isText: true, timeout: .seconds(30))
            #expect(await eventually { rig.feed.stats(of: "/mute").messagesReceived == 1 })
            rig.one.shards.stopReading(gate, stop: 1)
            await #expect(throws: SendFailure.fenced) {
                try await connection.send([1], isText: false)
            }
            #expect(rig.one.reports.seen.drained.isEmpty)
            do {
                _ = try await reply
                Issue.record("a reply of a server that never answers")
            } catch {
                #expect(error as? SendFailure == .fenced)
            }
            #expect(await eventually { rig.one.reports.seen.drained.count == 1 })
        }
    }

    @Test func aReleasedShardHasNoSocketAndDialsNoMore() async throws {
        try await TwoMembers.run { rig in
            let c = DesiredConnection.feed(rig.feed, "c", "/mute")
            let gate = rig.one.takeUp(from, [c])
            #expect(await eventually { rig.one.isOpen("c") })
            rig.one.shards.stopReading(gate, stop: 1)
            #expect(await eventually { rig.one.reports.seen.drained.count == 1 })
            rig.one.shards.hangUp(gate)
            #expect(await eventually { rig.feed.stats(of: "/mute").open == 0 })
            await rig.one.loop.reconciled("c")
            #expect(rig.feed.stats(of: "/mute").opened == 1)
            rig.one.shards.resume(gate)
            #expect(await eventually { rig.one.isOpen("c") })
        }
    }
}
