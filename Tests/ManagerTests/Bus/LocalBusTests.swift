import ManagerCore
import TestKit
import Testing

@testable import Manager

@Suite(.timeLimit(.minutes(1))) struct LocalBusTests {
    private func events(_ numbers: some Sequence<Int>, on topic: String = "t") -> [OutboundEvent] {
        BusConformance.events(numbers, on: topic)
    }

    private func numbers(_ delivery: TopicDelivery?) -> [Int] {
        delivery?.events.compactMap { Int(String(decoding: $0.payload, as: UTF8.self)) } ?? []
    }

    /// Keeps nothing for those who are connected.
    private func bus(messages: Int, bytes: Int = 1 << 20) -> LocalBus {
        LocalBus(
            retention: TopicRetention(
                replay: MessageAmount(messages: messages, bytes: bytes), backlogBytes: 0))
    }

    @Test func aSlowReaderLearnsHowMuchItMissedAndSlowsNobody() async {
        let bus = bus(messages: 10)
        let slow = bus.subscribe(topic: "t", from: .oldest)
        let quick = bus.subscribe(topic: "t", from: .oldest)
        var seen: [Int] = []
        for start in stride(from: 0, to: 100, by: 5) {
            _ = await bus.publish(events(start..<start + 5))
            let delivery = await quick.next(maxCount: 10)
            #expect(delivery?.missed == 0)
            seen += numbers(delivery)
        }
        #expect(seen == Array(0..<100))
        let gap = await slow.next(maxCount: 100)
        #expect(gap?.missed == 90)
        #expect(gap?.firstPosition == 91)
        #expect(numbers(gap) == Array(90..<100))
        _ = await bus.publish(events([100]))
        let after = await slow.next(maxCount: 100)
        #expect(after?.missed == 0)
        #expect(numbers(after) == [100])
    }

    @Test func aReaderThatComesBackTooLateIsToldTheCount() async {
        let bus = bus(messages: 10)
        _ = await bus.publish(events(1...50))
        let late = await bus.subscribe(topic: "t", from: .after(7)).next(maxCount: 3)
        #expect(late?.missed == 33, "8 to 40 are forgotten")
        #expect(late?.firstPosition == 41)
        #expect(numbers(late) == [41, 42, 43])
    }

    @Test func whatAConnectedReaderHasNotReadIsKeptUntilItLeaves() async {
        let replay = MessageAmount(messages: 10, bytes: 1 << 20)
        let bus = LocalBus(retention: TopicRetention(replay: replay))
        let quick = bus.subscribe(topic: "t", from: .newest)
        var slow: (any TopicReader)? = bus.subscribe(topic: "t", from: .newest)
        _ = await bus.publish(events(0..<50))
        #expect(numbers(await quick.next(maxCount: 100)) == Array(0..<50))
        let first = await slow?.next(maxCount: 20)
        #expect(first?.missed == 0 && numbers(first) == Array(0..<20))
        #expect(
            numbers(await bus.subscribe(topic: "t", from: .oldest).next(maxCount: 100)).count == 30)
        slow = nil
        let late = await bus.subscribe(topic: "t", from: .oldest).next(maxCount: 100)
        #expect(late?.missed == 40 && numbers(late) == Array(40..<50))
    }

    @Test func aPositionOfAnotherLifeOfTheProcessStartsWithTheOldest() async {
        let bus = LocalBus()
        _ = await bus.publish(events(1...3))
        let reader = bus.subscribe(topic: "t", from: .after(1_000_000))
        #expect(numbers(await reader.next(maxCount: 10)) == [1, 2, 3])
        let early = bus.subscribe(topic: "new", from: .after(2))
        _ = await bus.publish(events(1...5, on: "new"))
        #expect(numbers(await early.next(maxCount: 10)) == [1, 2, 3, 4, 5])
    }

    @Test func theRingIsBoundedInBytesToo() async {
        let bus = bus(messages: 1_000, bytes: 10 * (OutboundEvent.overhead + 1))
        _ = await bus.publish(events((0..<100).map { $0 % 10 }))
        let delivery = await bus.subscribe(topic: "t", from: .oldest).next(maxCount: 1_000)
        #expect(delivery?.events.count == 10)
        #expect(delivery?.firstPosition == 91)
    }

    @Test func oneDeliveryStaysBelowGRPCsLimit() async {
        let bus = LocalBus()
        var big = BusConformance.event(0, on: "t")
        big.payload = [UInt8](repeating: 0x61, count: 300_000)
        _ = await bus.publish(Array(repeating: big, count: 10))
        let reader = bus.subscribe(topic: "t", from: .oldest)
        var counts: [Int] = []
        while counts.reduce(0, +) < 10 {
            guard let delivery = await reader.next(maxCount: 500) else { break }
            #expect(delivery.events.reduce(0) { $0 + $1.payload.count } <= 1 << 20)
            counts.append(delivery.events.count)
        }
        #expect(counts.reduce(0, +) == 10)
        #expect(counts.count > 1)
    }

    @Test func aRunIsPublishedWholeOrNotAtAll() async {
        let bus = LocalBus()
        let reader = bus.subscribe(topic: "t", from: .oldest)
        let next = Task { await reader.next(maxCount: 10) }
        let permit = BusConformance.Permit(false)
        let run = EventRun(BusConformance.event(7, on: "t"), permit: permit)
        #expect(!bus.publishWhole(run))
        #expect(bus.newestPosition(of: "t") == 0)
        permit.mayAct = true
        #expect(bus.publishWhole(run))
        let delivery = await next.value
        #expect(numbers(delivery) == [7] && delivery?.firstPosition == 1)
    }

    @Test func closeEndsReadersAfterWhatIsThere() async {
        let bus = LocalBus()
        let waiting = bus.subscribe(topic: "t", from: .newest)
        let behind = bus.subscribe(topic: "t", from: .oldest)
        _ = await bus.publish(events(1...2))
        #expect(numbers(await waiting.next(maxCount: 10)) == [1, 2])
        async let ended = waiting.next(maxCount: 10)
        bus.close()
        #expect(await ended == nil)
        #expect(numbers(await behind.next(maxCount: 1)) == [1])
        #expect(numbers(await behind.next(maxCount: 1)) == [2])
        #expect(await behind.next(maxCount: 1) == nil)
    }

    @Test func manyReadersAreCancelledWithoutALeak() async {
        let bus = LocalBus()
        let readers = (0..<100).map { _ in bus.subscribe(topic: "t", from: .newest) }
        let tasks = readers.map { reader in Task { await reader.next(maxCount: 1) } }
        for task in tasks { task.cancel() }
        for task in tasks { #expect(await task.value == nil) }
        _ = await bus.publish(events([1]))
    }

    @Test func oneTopicTooManyIsRefusedAndTheOthersGoOn() async {
        let bus = LocalBus()
        let perCall = 10_000
        for start in stride(from: 0, to: LocalBus.maxTopics, by: perCall) {
            let outcomes = await bus.publish(
                (start..<start + perCall).map { BusConformance.event($0, on: "topic-\($0)") })
            #expect(outcomes.allSatisfy { $0 == .accepted })
        }
        let outcomes = await bus.publish([
            BusConformance.event(1, on: "one-too-many"), BusConformance.event(2, on: "topic-7"),
        ])
        guard case .refused(let sentence) = outcomes[0] else {
            Issue.record("\(outcomes[0])")
            return
        }
        #expect(sentence.contains("100000 topics"))
        #expect(outcomes[1] == .accepted)
        let reader = bus.subscribe(topic: "topic-7", from: .oldest)
        #expect(numbers(await reader.next(maxCount: 10)) == [7, 2])
    }

    @Test func aTopicIsFollowedAsLongAsItHasAReader() {
        let bus = LocalBus()
        #expect(!bus.isFollowed("t"))
        var readers = [
            bus.subscribe(topic: "t", from: .newest), bus.subscribe(topic: "t", from: .oldest),
        ]
        #expect(bus.isFollowed("t"))
        #expect(!bus.isFollowed("other"))
        readers.removeFirst()
        #expect(bus.isFollowed("t"))
        readers.removeAll()
        #expect(!bus.isFollowed("t"))
    }
}
