import GRPCCore
import ManagerAPI
import ManagerCore
import Testing

@testable import Manager

/// How parts of several instances are put together.
struct MergeTests {
    private func part(
        _ names: [String], next: String = "", served: [String] = [], topic: String = ""
    ) -> MergedPage.Part {
        var page = Wsm_V1_ListResponse()
        page.nextPageToken = next
        page.objects = names.map { name in
            var object = Wsm_V1_Object()
            (object.name, object.topic) = (name, topic)
            return object
        }
        return .init(page: page, served: Set(served.map { Shards.shard(of: $0) }))
    }

    private func page(
        _ parts: [MergedPage.Part], limit: Int = 100
    ) -> Wsm_V1_ListResponse {
        MergedPage(parts, shardCount: Shards.count).page(limit: limit, bytes: 1 << 20)
    }

    @Test func aPageEndsWhereAPartHasMore() {
        let merged = page([part(["a", "c"], next: "c"), part(["b", "d", "e"])])
        #expect(merged.objects.map(\.name) == ["a", "b", "c"])
        #expect(merged.nextPageToken == "c")
    }

    @Test func aPageEndsAtItsLimit() {
        let merged = page([part(["a", "c"]), part(["b", "d"])], limit: 2)
        #expect(merged.objects.map(\.name) == ["a", "b"])
        #expect(merged.nextPageToken == "b")
        #expect(page([part(["a"]), part(["b"])], limit: 2).nextPageToken.isEmpty)
    }

    @Test func theOneThatServesTheShardIsRight() {
        let old = part(["a"], topic: "old")
        let new = part(["a"], served: ["a"], topic: "new")
        #expect(page([old, new]).objects.map(\.topic) == ["new"])
        #expect(page([new, old]).objects.map(\.topic) == ["new"])
    }

    @Test func aMapOfShardsComesBackFromMetadata() {
        for shards in [[], [0], [255], [3, 4, 100, 255]] as [Set<Int>] {
            let metadata: Metadata = [ShardMap.key: .string(ShardMap(shards).text)]
            #expect(ShardMap(metadata)?.shards == shards)
        }
        #expect(ShardMap(Metadata()) == nil)
        #expect(ShardMap([ShardMap.key: "0g"]) == nil)
    }

    @Test func anAnswerThatNamesTheOwnerComesBack() {
        let owner = ShardOwner.other(
            instance: "b", address: "h:1", title: PeerMessageTests.title)
        let error = RPCError(NotServed("no", owner: owner))
        #expect(NotServed(answer: error)?.owner == owner)
        #expect(NotServed(answer: RPCError(NotServed("no", owner: .nobody)))?.owner == .nobody)
        #expect(NotServed(answer: RPCError(NotServed.unowned("x"))) == nil)
    }

    // MARK: Watch

    private func change(_ action: Wsm_V1_WatchAction, _ name: String) -> Wsm_V1_WatchChange {
        var change = Wsm_V1_WatchChange()
        change.action = action
        change.object.name = name
        return change
    }

    @Test func aDeletionIsToldWhenTheStoreSaysSo() {
        var merge = WatchMerge(members: ["a", "b"])
        #expect(merge.received([change(.present, "x"), change(.synced, "")], from: "a").count == 1)
        #expect(!merge.canSync)
        _ = merge.received([change(.synced, "")], from: "b")
        #expect(merge.canSync)
        _ = merge.sync()
        #expect(merge.received([change(.deleted, "x")], from: "b").isEmpty)
        #expect(merge.unplaced.isEmpty, "b never had it")
        #expect(merge.received([change(.deleted, "x")], from: "a").isEmpty)
        #expect(merge.unplaced == ["x"])
        #expect(merge.received([change(.present, "x")], from: "b").map(\.action) == [.changed])
        #expect(merge.gone("x", kind: "Connection") == nil)
        merge.ended("b")
        #expect(merge.unplaced == ["x"])
        #expect(merge.gone("x", kind: "Connection")?.action == .deleted)
        #expect(merge.gone("x", kind: "Connection") == nil)
    }

    @Test func whatIsShownFromTheStoreIsToldOnce() {
        var merge = WatchMerge(members: ["a"])
        _ = merge.received([change(.present, "x")], from: "a")
        _ = merge.sync()
        merge.ended("a")
        let object = change(.present, "x").object
        #expect(merge.stored(object)?.action == .changed)
        #expect(merge.stored(object) == nil)
        _ = merge.received([change(.present, "x")], from: "b")
        #expect(merge.stored(object) == nil)
    }

    // MARK: Topics

    private func messages(
        _ connection: String, epoch: UInt64, _ positions: ClosedRange<UInt64>
    ) -> Wsm_V1_SubscribeResponse {
        var response = Wsm_V1_SubscribeResponse()
        response.messages = positions.map { position in
            var message = Wsm_V1_TopicMessage()
            message.position = position
            message.connection = connection
            message.epoch = epoch
            return message
        }
        return response
    }

    @Test func aNewOwnerComesAfterTheFormerOne() {
        var merge = TopicMerge()
        _ = merge.received(messages("x", epoch: 1, 1...3), from: "a")
        #expect(merge.predecessors(of: messages("x", epoch: 2, 1...1), from: "b") == ["a"])
        #expect(merge.predecessors(of: messages("x", epoch: 2, 4...4), from: "a").isEmpty)
        #expect(merge.predecessors(of: messages("y", epoch: 2, 1...1), from: "b").isEmpty)
        _ = merge.received(messages("x", epoch: 2, 1...1), from: "b")
        #expect(merge.predecessors(of: messages("x", epoch: 1, 4...4), from: "a").isEmpty)
    }

    @Test func aStreamThatIsOpenedAnewRepeatsNothing() {
        var merge = TopicMerge()
        var hello = Wsm_V1_SubscribeResponse()
        hello.mark.life = 9
        _ = merge.received(hello, from: "a")
        #expect(merge.received(messages("x", epoch: 1, 1...3), from: "a").messages.count == 3)
        let told = merge.received(messages("x", epoch: 1, 2...5), from: "a")
        #expect(told.messages.map(\.position) == [4, 5])
        #expect(told.messages.allSatisfy { $0.instance == "a" && $0.life == 9 })
        #expect(merge.hasReached(5, life: 9, of: "a"))
        #expect(!merge.hasReached(6, life: 9, of: "a"))
        #expect(merge.hasReached(6, life: 10, of: "a"), "nothing to wait for in another life")
        hello.mark.life = 10
        _ = merge.received(hello, from: "a")
        #expect(merge.received(messages("x", epoch: 2, 1...1), from: "a").messages.count == 1)
    }

    // MARK: The channel

    @Test func aProducerWaitsUntilWhatItBroughtIsDoneWith() async {
        let channel = MergeChannel<Int>()
        let first = Task {
            await channel.send(1)
            await channel.send(2)
        }
        guard let held = await channel.next() else {
            Issue.record("nothing came")
            return
        }
        let other = Task { await channel.send(10) }
        guard let between = await channel.next() else {
            Issue.record("nothing came")
            return
        }
        #expect((held.element, between.element) == (1, 10))
        channel.release(between)
        await other.value
        channel.release(held)
        #expect(await channel.next()?.element == 2)
        channel.finish()
        await first.value
        #expect(await channel.next() == nil)
        await channel.send(3)
    }
}
