import Feed
import Manager
import ManagerCore
import TestKit
import Testing

/// The bus is slow or away while frames flow.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BackpressureTests {
    // MARK: block

    @Test func aStalledBusStopsTheReadingAndLosesNothing() async throws {
        try await Live.run { live in
            live.bus.mode = .stalled
            try await live.declare(
                "a", "/burst?count=50000&size=500", "buffer: {messages: 100, overflow: block}")
            #expect(await live.received("a", atLeast: 100))
            // What TCP holds back is not received; what one read brought waits beside the buffer.
            #expect(
                await always(for: .milliseconds(300)) {
                    let traffic = live.traffic("a")
                    return traffic.addUp && traffic.receivedMessages < 20_000
                })
            #expect(live.server.observed("a")?.isOpen == true)
            live.bus.mode = .accepting
            #expect(
                await eventually(within: .seconds(60)) { live.traffic("a").published == 50_000 })
            let accepted = live.bus.accepted(on: "a")
            #expect(accepted.count == 50_000)
            #expect(zip(accepted, 1...).allSatisfy { $0.id.sequence == $1 })
            let texts = live.bus.texts(on: "a")
            #expect(try #require(texts.first).contains(#""sequence":1,"#))
            #expect(try #require(texts.last).contains(#""sequence":50000,"#))
            #expect(live.traffic("a").dropped.total == 0)
            #expect(live.opened("/burst") == 1)
            #expect(live.bus.violations.isEmpty)
        }
    }

    @Test(
        arguments: [
            "", "buffer: {messages: 100}", "buffer: {messages: 5000, overflow: dropOldest}",
        ])
    func nothingHasToWaitForABusThatTakesAllAtOnce(_ policy: String) async throws {
        let feed = try await FeedServer.start()
        let bus = LocalBus()
        let server = try await RunningServer.start(bus: bus)
        let reader = bus.subscribe(topic: "a", from: .oldest)
        // More than a buffer holds, of messages so small that a read brings as many.
        try await server.apply(
            manifest("a", "url: \(feed.url("/burst?count=60000&size=20"))\ntopic: a\n\(policy)"))
        #expect(await eventually { server.observed("a")?.traffic.published == 60_000 })
        #expect(server.observed("a")?.traffic.dropped.total == 0)
        var sequences: [UInt64] = []
        while sequences.last != 60_000, let delivery = await reader.next(maxCount: 10_000) {
            sequences += delivery.events.map(\.id.sequence)
        }
        #expect(Array(sequences.suffix(10_000)) == Array(50_001...60_000))
        _ = await server.stop()
        await feed.stop()
    }

    @Test func pingsAreAnsweredWhileReadingIsPaused() async throws {
        try await Live.run { live in
            try await live.declare("a", "/ping?every=50", "buffer: {messages: 100}")
            #expect(await live.server.ready("a"))
            live.bus.mode = .stalled
            // Past seven eighths of the buffer, where reading pauses, and within its last eighth.
            live.broadcast((0..<92).map { "m\($0)" }, to: "/ping")
            #expect(await live.received("a", atLeast: 92))
            let before = live.feed.stats(of: "/ping").pongsReceived
            #expect(
                await eventually { live.feed.stats(of: "/ping").pongsReceived >= before + 20 })
            #expect(live.traffic("a").bufferedMessages == 92)
            live.bus.mode = .accepting
            #expect(await eventually { live.bus.texts(on: "a").count == 92 })
            #expect(live.bus.texts(on: "a") == (0..<92).map { "m\($0)" })
        }
    }

    @Test func aFullBufferIsNoSilenceOfThePeer() async throws {
        try await Live.run { live in
            live.bus.mode = .stalled
            let path = "/burst?count=50000&size=500"
            try await live.declare("a", path, "buffer: {messages: 100}")
            #expect(await live.received("a", atLeast: 100))
            try await live.declare(
                "a", path,
                "buffer: {messages: 100}\nkeepalive: {pingInterval: 100ms, pongTimeout: 200ms}")
            #expect(await eventually { live.server.observed("a")?.generation == 2 })
            #expect(
                await always(for: .milliseconds(800)) { live.server.observed("a")?.isOpen == true })
            try await live.declare("a", path, "buffer: {messages: 100}")
            #expect(await eventually { live.server.observed("a")?.generation == 3 })
            live.bus.mode = .accepting
            #expect(
                await eventually(within: .seconds(60)) { live.traffic("a").published == 50_000 })
            #expect(live.opened("/burst") == 1)
        }
    }

    // MARK: Dropping

    /// One message is in flight, and so never dropped; the other 99 places are the policy's.
    private func overflow(
        _ live: Live, _ policy: String
    ) async throws -> (events: [OutboundEvent], traffic: TrafficCounters) {
        try await live.declare("a", "/mute", "buffer: {messages: 100, overflow: \(policy)}")
        #expect(await live.server.ready("a"))
        live.bus.mode = .stalled
        live.broadcast(["m1"], to: "/mute")
        #expect(await live.received("a", atLeast: 1))
        live.broadcast((2...2_000).map { "m\($0)" }, to: "/mute")
        #expect(await live.received("a", atLeast: 2_000))
        #expect(live.traffic("a").bufferedMessages == 100)
        #expect(live.traffic("a").addUp)
        live.bus.mode = .accepting
        #expect(await eventually { live.traffic("a").bufferedMessages == 0 })
        #expect(live.traffic("a").addUp)
        return (live.bus.accepted(on: "a"), live.traffic("a"))
    }

    @Test func dropNewestKeepsTheOldestAndCounts() async throws {
        try await Live.run { live in
            let (events, traffic) = try await overflow(live, "dropNewest")
            #expect(events.map(\.id.sequence) == Array(1...100))
            #expect(traffic.dropped[.dropNewest] == 1_900)
            #expect(traffic.dropped.total == 1_900)
            #expect(traffic.published == 100)
            live.feed.broadcast("after", to: "/mute")
            #expect(await eventually { live.bus.texts(on: "a").last == "after" })
            #expect(live.bus.accepted(on: "a").last?.id.sequence == 2_001, "the holes are seen")
        }
    }

    @Test func dropOldestKeepsTheNewestAndCounts() async throws {
        try await Live.run { live in
            let (events, traffic) = try await overflow(live, "dropOldest")
            #expect(events.map(\.id.sequence) == [1] + Array(1_902...2_000))
            #expect(
                live.bus.texts(on: "a") == ["m1"] + (1_902...2_000).map { "m\($0)" })
            #expect(traffic.dropped[.dropOldest] == 1_900)
            #expect(traffic.dropped.total == 1_900)
        }
    }

    @Test func aMessageLargerThanTheBufferIsCountedAndHoldsNothingUp() async throws {
        try await Live.run { live in
            try await live.declare(
                "a", "/echo",
                "maxMessageSize: 1KiB\nbuffer: {bytes: 1KiB, messages: 10, overflow: block}")
            #expect(await live.server.ready("a"))
            live.feed.broadcast(String(repeating: "x", count: 1_024), to: "/echo")
            live.feed.broadcast("small", to: "/echo")
            #expect(await eventually { live.bus.texts(on: "a").count == 2 })
            #expect(live.traffic("a").dropped.total == 0, "the largest message allowed fits")
        }
    }

    // MARK: All buffers together

    @Test func allBuffersTogetherKeepTheLimit() async throws {
        let limit = 1 << 20
        try await Live.run(configure: { $0.bufferLimit = limit }) { live in
            live.bus.mode = .stalled
            let names = (0..<4).map { "c\($0)" }
            for name in names { try await live.declare(name, "/burst?count=5000&size=1000") }
            #expect(await eventually { names.allSatisfy { live.traffic($0).receivedMessages > 0 } })
            #expect(
                await always(for: .milliseconds(300)) {
                    names.reduce(0) { $0 + live.traffic($1).bufferedBytes } <= limit
                })
            #expect(names.allSatisfy { live.traffic($0).addUp })
            live.bus.mode = .accepting
            #expect(
                await eventually { names.allSatisfy { live.traffic($0).published == 5_000 } })
            for name in names {
                #expect(live.bus.accepted(on: name).map(\.id.sequence) == Array(1...5_000))
            }
        }
    }

    @Test func aDroppingPolicyGivesWayAtTheCommonLimitAndSaysWhy() async throws {
        try await Live.run(configure: { $0.bufferLimit = 1 << 20 }) { live in
            live.bus.mode = .stalled
            try await live.declare(
                "a", "/burst?count=5000&size=1000", "buffer: {overflow: dropNewest}")
            #expect(await live.received("a", atLeast: 5_000))
            let traffic = live.traffic("a")
            #expect(traffic.addUp)
            #expect(traffic.dropped[.budget] > 3_000)
            #expect(traffic.dropped.total == traffic.dropped[.budget])
            live.bus.mode = .accepting
            #expect(await eventually { live.traffic("a").bufferedMessages == 0 })
            #expect(live.traffic("a").addUp)
        }
    }

    // MARK: A bus that answers no

    @Test func anUnavailableBusIsRetriedUnderTheSameIDsAndTakesReadyAway() async throws {
        try await Live.run { live in
            try await live.declare("a", "/mute")
            #expect(await live.server.ready("a"))
            live.bus.mode = .unavailable
            live.broadcast((0..<50).map { "m\($0)" }, to: "/mute")
            #expect(
                await eventually { live.server.status("a")?.ready.reason == "BusUnavailable" })
            #expect(live.server.status("a")?.ready.message == "the bus is down")
            #expect(live.traffic("a").dropped.total == 0)
            live.bus.mode = .accepting
            #expect(await eventually { live.bus.texts(on: "a").count == 50 })
            #expect(live.bus.texts(on: "a") == (0..<50).map { "m\($0)" })
            #expect(live.bus.accepted(on: "a").map(\.id.sequence) == Array(1...50))
            #expect(await live.server.ready("a"))
        }
    }

    @Test func whatTheBusRefusesForGoodIsCountedAndNotRepeated() async throws {
        try await Live.run { live in
            live.bus.refuse { $0.payload == Array("m3".utf8) }
            try await live.declare("a", "/mute")
            #expect(await live.server.ready("a"))
            live.broadcast((1...6).map { "m\($0)" }, to: "/mute")
            #expect(await eventually { live.bus.texts(on: "a").count == 5 })
            #expect(live.bus.texts(on: "a") == ["m1", "m2", "m4", "m5", "m6"])
            #expect(live.bus.accepted(on: "a").map(\.id.sequence) == [1, 2, 4, 5, 6])
            #expect(await eventually { live.traffic("a").dropped[.refusedByBus] == 1 })
            #expect(live.traffic("a").addUp)
            #expect(live.server.isReady("a"))
        }
    }

    // MARK: Without a topic, and the end

    @Test func withoutATopicMessagesAreCountedAsSuch() async throws {
        try await Live.run { live in
            try await live.server.apply(manifest("a", "url: \(live.feed.url("/burst?count=100"))"))
            #expect(await live.received("a", atLeast: 100))
            #expect(await eventually { live.traffic("a").dropped[.noTopic] == 100 })
            #expect(live.traffic("a").addUp)
            #expect(live.server.observed("a")?.hasFirstMessage == true)
        }
    }

    @Test func publishDataJSONRefusesWhatIsNone() async throws {
        try await Live.run { live in
            try await live.declare("a", "/mute", "publish: {data: json}")
            #expect(await live.server.ready("a"))
            live.broadcast(["{\"a\":1}", "not json", "[1]"], to: "/mute")
            #expect(await eventually { live.traffic("a").dropped[.notJSON] == 1 })
            #expect(await eventually { live.bus.texts(on: "a") == ["{\"a\":1}", "[1]"] })
        }
    }

    @Test func theEndOfTheProcessPublishesWhatIsBuffered() async throws {
        let feed = try await FeedServer.start()
        let bus = RecordingBus()
        let server = try await RunningServer.start(bus: bus)
        try await server.apply(manifest("a", "url: \(feed.url("/burst?count=500"))\ntopic: a"))
        bus.mode = .stalled
        #expect(await eventually { server.observed("a")?.traffic.receivedMessages == 500 })
        async let lost = server.stop()
        try await Task.sleep(for: .milliseconds(100))
        bus.mode = .accepting
        #expect(await lost == 0)
        #expect(bus.accepted(on: "a").map(\.id.sequence) == Array(1...500))
        await feed.stop()
    }

    @Test func whatCannotBePublishedInTimeIsCountedAsLost() async throws {
        let feed = try await FeedServer.start()
        let bus = RecordingBus()
        let server = try await RunningServer.start(bus: bus) {
            $0.drainTimeout = .milliseconds(300)
        }
        try await server.apply(manifest("a", "url: \(feed.url("/mute"))\ntopic: a"))
        #expect(await server.ready("a"))
        bus.mode = .unavailable
        for number in 0..<20 { feed.broadcast("m\(number)", to: "/mute") }
        #expect(await eventually { server.observed("a")?.traffic.receivedMessages == 20 })
        #expect(await server.stop() == 20)
        await feed.stop()
    }

    @Test func aDeletedConnectionStillPublishesWhatItHad() async throws {
        try await Live.run { live in
            live.bus.mode = .stalled
            try await live.declare("a", "/burst?count=200")
            #expect(await live.received("a", atLeast: 200))
            try await live.delete("a")
            #expect(await eventually { live.server.observed("a") == nil })
            live.bus.mode = .accepting
            #expect(await eventually { live.bus.texts(on: "a").count == 200 })
        }
    }
}
