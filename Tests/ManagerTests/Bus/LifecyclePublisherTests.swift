import Manager
import ManagerCore
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct LifecyclePublisherTests {
    private func event(_ name: String, _ reason: String) -> LifecycleEvent {
        LifecycleEvent(
            connectionID: name, url: "ws://example.test/", instanceID: "i",
            kind: .connected(reason: reason))
    }

    private func publisher(_ bus: RecordingBus) -> LifecyclePublisher {
        LifecyclePublisher(bus: bus, clock: ManualClock().managerClock, epoch: 7)
    }

    private func reasons(_ bus: RecordingBus) -> [String] {
        bus.texts(on: LifecycleEvent.topic).compactMap { text in
            text.split(separator: #""reason":""#).last.map { String($0.prefix { $0 != "\"" }) }
        }
    }

    @Test func eventsKeepTheOrderTheyWereHandedIn() async {
        let bus = RecordingBus()
        let publisher = publisher(bus)
        for number in 0..<2_000 {
            publisher.publish(event("c", "r\(number)"), uid: .sample("c"))
        }
        #expect(await eventually { bus.accepted.count == 2_000 })
        #expect(reasons(bus) == (0..<2_000).map { "r\($0)" })
        #expect(bus.accepted.map(\.id.sequence) == Array(1...2_000))
        #expect(
            bus.accepted.allSatisfy { $0.id.epoch == 7 && $0.id.uid.rawValue == "uid-c-lifecycle" })
        #expect(bus.violations.isEmpty)
        #expect(publisher.dropped == 0)
    }

    @Test func eachConnectionCountsByItselfAndStartsAnewWhenForgotten() async {
        let bus = RecordingBus()
        let publisher = publisher(bus)
        publisher.publish(event("a", "1"), uid: .sample("a"))
        publisher.publish(event("b", "2"), uid: .sample("b"))
        publisher.publish(event("a", "3"), uid: .sample("a"))
        publisher.forget(.sample("a"))
        publisher.publish(event("b", "4"), uid: .sample("b"))
        #expect(await eventually { bus.accepted.count == 4 })
        #expect(
            bus.accepted.map(\.id.description)
                == [
                    "uid-a-lifecycle.7.1", "uid-b-lifecycle.7.1", "uid-a-lifecycle.7.2",
                    "uid-b-lifecycle.7.2",
                ])
    }

    @Test func aBusThatIsAwayIsTriedAgainAndNothingIsLostOrSwapped() async {
        let bus = RecordingBus()
        bus.mode = .unavailable
        let publisher = publisher(bus)
        for number in 0..<10 { publisher.publish(event("c", "r\(number)"), uid: .sample("c")) }
        #expect(await eventually { bus.calls >= 1 })
        bus.mode = .accepting
        for number in 10..<20 { publisher.publish(event("c", "r\(number)"), uid: .sample("c")) }
        #expect(await eventually { bus.accepted.count == 20 })
        #expect(reasons(bus) == (0..<20).map { "r\($0)" })
    }

    @Test func anEventTheBusRefusesForGoodHoldsNothingUp() async {
        let bus = RecordingBus()
        bus.refuse { $0.id.sequence == 2 }
        let publisher = publisher(bus)
        for number in 1...3 { publisher.publish(event("c", "r\(number)"), uid: .sample("c")) }
        #expect(await eventually { bus.accepted.count == 2 })
        #expect(reasons(bus) == ["r1", "r3"])
    }

    @Test func theQueueIsBoundedAndDropsTheOldestCounted() async {
        let bus = RecordingBus()
        bus.mode = .stalled
        let publisher = publisher(bus)
        publisher.publish(event("first", "held"), uid: .sample("first"))
        #expect(await eventually { bus.calls == 1 })
        let extra = 100
        for number in 0..<LifecyclePublisher.maxQueued + extra {
            publisher.publish(event("c", "r\(number)"), uid: .sample("c"))
        }
        #expect(publisher.dropped == UInt64(extra))
        bus.mode = .accepting
        #expect(await eventually { bus.accepted.count == LifecyclePublisher.maxQueued + 1 })
        #expect(bus.accepted[1].id.sequence == UInt64(extra + 1), "the oldest went")
        #expect(bus.accepted.last?.id.sequence == UInt64(LifecyclePublisher.maxQueued + extra))
    }
}
