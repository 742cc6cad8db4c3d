import Manager
import ManagerCore
import NIOCore
import NIOPosix
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct LifecyclePublisherTests {
    /// The event with this number, which is its attempt too.
    private func event(_ number: Int, _ publisher: LifecyclePublisher) -> EventRun {
        LifecycleEvent(
            connectionID: "c", url: "ws://example.test/", instanceID: "i",
            kind: .reconnecting(reason: .connected, attempt: number, nextAttemptAt: nil)
        ).run(
            uid: .sample("c"), sequence: UInt64(number), time: someTime, permit: publisher.home)
    }

    private func publisher(_ bus: some Bus) -> LifecyclePublisher {
        LifecyclePublisher(bus: bus, epoch: 7)
    }

    private func attempts(_ bus: RecordingBus) -> [Int] {
        bus.texts(on: LifecycleEvent.topic).compactMap { text in
            text.split(separator: #""attempt":"#).last.flatMap { Int($0.prefix { $0 != "}" }) }
        }
    }

    @Test func eventsKeepTheOrderTheyWereHandedIn() async {
        let bus = RecordingBus()
        let publisher = publisher(bus)
        for number in 1...2_000 { publisher.publish(event(number, publisher)) }
        #expect(await eventually { bus.accepted.count == 2_000 })
        #expect(attempts(bus) == Array(1...2_000))
        #expect(bus.accepted.map(\.id.sequence) == Array(1...2_000))
        #expect(
            bus.accepted.allSatisfy { $0.id.epoch == 7 && $0.id.uid.rawValue == "uid-c-lifecycle" })
        #expect(bus.violations.isEmpty)
        #expect(publisher.dropped == 0)
    }

    @Test func whatATurnOfALoopBringsIsWithABusInTheProcessAtItsEnd() async throws {
        let bus = LocalBus()
        let publisher = publisher(bus)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let events = (1...600).map { event($0, publisher) }
        try await loop.submit {
            for event in events { publisher.publish(event, on: loop) }
            #expect(bus.newestPosition(of: LifecycleEvent.topic) == 0)
        }.get()
        // The end of the turn stands behind it already.
        try await loop.submit {
            #expect(bus.newestPosition(of: LifecycleEvent.topic) == 600)
            #expect(publisher.isQuiet(publisher.home))
        }.get()
    }

    @Test func aBusThatDoesNotAnswerAtOnceIsNotWaitedForByTheLoop() async throws {
        let bus = RecordingBus()
        bus.mode = .stalled
        let publisher = publisher(bus)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let events = (1...3).map { event($0, publisher) }
        try await loop.submit { publisher.publish(events[0], on: loop) }.get()
        #expect(await eventually { bus.calls == 1 })
        try await loop.submit { for event in events[1...] { publisher.publish(event, on: loop) } }
            .get()
        bus.mode = .accepting
        #expect(await eventually { bus.accepted.count == 3 })
        #expect(attempts(bus) == [1, 2, 3])
    }

    @Test func aBusThatIsAwayIsTriedAgainAndNothingIsLostOrSwapped() async {
        let bus = RecordingBus()
        bus.mode = .unavailable
        let publisher = publisher(bus)
        for number in 1...10 { publisher.publish(event(number, publisher)) }
        #expect(await eventually { bus.calls >= 1 })
        bus.mode = .accepting
        for number in 11...20 { publisher.publish(event(number, publisher)) }
        #expect(await eventually { bus.accepted.count == 20 })
        #expect(attempts(bus) == Array(1...20))
    }

    @Test func anEventTheBusRefusesForGoodHoldsNothingUp() async {
        let bus = RecordingBus()
        bus.refuse { $0.id.sequence == 2 }
        let publisher = publisher(bus)
        for number in 1...3 { publisher.publish(event(number, publisher)) }
        #expect(await eventually { bus.accepted.count == 2 })
        #expect(attempts(bus) == [1, 3])
    }

    @Test func theQueueIsBoundedAndDropsTheOldestCounted() async {
        let bus = RecordingBus()
        bus.mode = .stalled
        let publisher = publisher(bus)
        publisher.publish(event(0, publisher))
        #expect(await eventually { bus.calls == 1 })
        let extra = 100
        for number in 1...LifecyclePublisher.maxQueued + extra {
            publisher.publish(event(number, publisher))
        }
        #expect(publisher.dropped == UInt64(extra))
        bus.mode = .accepting
        #expect(await eventually { bus.accepted.count == LifecyclePublisher.maxQueued + 1 })
        #expect(bus.accepted[1].id.sequence == UInt64(extra + 1), "the oldest went")
        #expect(bus.accepted.last?.id.sequence == UInt64(LifecyclePublisher.maxQueued + extra))
    }
}
