package import Manager
package import ManagerCore
import Synchronization

/// The contract of ``Bus``, run against every implementation. Each part uses its own topics.
package enum BusConformance {
    package static func checkAll(_ bus: any Bus) async throws {
        try await keepsOrderOverBatches(bus)
        try await startsWhereTheReaderWants(bus)
        try await servesEveryReaderAlike(bus)
        try await wakesAReaderThatWaits(bus)
        try await endsACancelledReader(bus)
        try await keepsTopicsApart(bus)
        try await asksForThePermit(bus)
    }

    /// A right to publish that holds as long as the test wants.
    package final class Permit: PublishPermit {
        private let state: Mutex<Bool>

        package let epoch: UInt64 = 1

        package init(_ mayAct: Bool) { state = Mutex(mayAct) }

        package var mayAct: Bool {
            get { state.withLock { $0 } }
            set { state.withLock { $0 = newValue } }
        }
    }

    private static func asksForThePermit(_ bus: any Bus) async throws {
        let reader = bus.subscribe(topic: "permit", from: .oldest)
        let permit = Permit(false)
        let first = EventRun(event(1, on: "permit"), permit: permit)
        try check(
            await bus.publish([first]) == .fenced(messages: 1),
            "a run without the right to go out was not refused")
        permit.mayAct = true
        let answer = await bus.publish([first, EventRun(event(2, on: "permit"), permit: permit)])
        try check(
            answer == .accepted || answer == .outcomes([.accepted, .accepted]),
            "runs with the right to go out were answered with \(answer)")
        try check(
            try await read(2, from: reader) == [1, 2], "what was refused has gone out all the same")
    }

    /// One event whose payload is its number.
    package static func event(_ number: Int, on topic: String) -> OutboundEvent {
        OutboundEvent(
            topic: topic,
            id: EventID(uid: .sample("bus"), epoch: 1, sequence: UInt64(max(0, number))),
            type: OutboundEvent.messageType, source: "/connections/bus",
            time: WallTime(nanosecondsSinceEpoch: Int64(number)),
            payload: Array("\(number)".utf8), kind: .text)
    }

    package static func events(_ numbers: some Sequence<Int>, on topic: String) -> [OutboundEvent] {
        numbers.map { event($0, on: topic) }
    }

    private static func check(
        _ fact: Bool, _ sentence: @autoclosure () -> String
    ) throws {
        try ConformanceFailure.check(fact, sentence())
    }

    private static func publish(_ bus: any Bus, _ events: [OutboundEvent]) async throws {
        let outcomes = await bus.publish(events)
        try check(
            outcomes == Array(repeating: .accepted, count: events.count),
            "\(events.count) events were answered with \(outcomes.count): "
                + "\(outcomes.first { $0 != .accepted } as Any)")
    }

    /// Reads so many payloads; each delivery must be whole and in order.
    package static func read(
        _ count: Int, from reader: any TopicReader, atOnce: Int = 100
    ) async throws -> [Int] {
        var numbers: [Int] = []
        var position: UInt64?
        while numbers.count < count {
            guard let delivery = await reader.next(maxCount: atOnce) else {
                throw ConformanceFailure(description: "the reader ended after \(numbers.count)")
            }
            try check(delivery.events.count <= atOnce, "more in one delivery than asked for")
            if let position, delivery.missed == 0 {
                try check(delivery.firstPosition == position, "a position was left out")
            }
            position = delivery.firstPosition + UInt64(delivery.events.count)
            numbers += delivery.events.compactMap {
                Int(String(decoding: $0.payload, as: UTF8.self))
            }
        }
        return numbers
    }

    // MARK: Parts

    static func keepsOrderOverBatches(_ bus: any Bus) async throws {
        let reader = bus.subscribe(topic: "order", from: .oldest)
        try await publish(bus, [])
        for start in stride(from: 0, to: 300, by: 30) {
            try await publish(bus, events(start..<start + 30, on: "order"))
        }
        let read = try await read(300, from: reader, atOnce: 7)
        try check(read == Array(0..<300), "300 events were read as \(read)")
    }

    static func startsWhereTheReaderWants(_ bus: any Bus) async throws {
        try await publish(bus, events(0..<10, on: "start"))
        let newest = bus.subscribe(topic: "start", from: .newest)
        let oldest = bus.subscribe(topic: "start", from: .oldest)
        let after = bus.subscribe(topic: "start", from: .after(7))
        try await publish(bus, events(10..<12, on: "start"))
        let fromNewest = try await read(2, from: newest)
        try check(fromNewest == [10, 11], "from the newest on: \(fromNewest)")
        let fromOldest = try await read(12, from: oldest)
        try check(fromOldest == Array(0..<12), "from the oldest on: \(fromOldest)")
        let fromSeventh = try await read(5, from: after)
        try check(fromSeventh == Array(7..<12), "after position 7: \(fromSeventh)")
    }

    static func servesEveryReaderAlike(_ bus: any Bus) async throws {
        let readers = (0..<8).map { _ in bus.subscribe(topic: "many", from: .oldest) }
        async let published: Void = {
            for number in 0..<200 { try await publish(bus, events([number], on: "many")) }
        }()
        try await withThrowingTaskGroup(of: [Int].self) { group in
            for (index, reader) in readers.enumerated() {
                group.addTask { try await read(200, from: reader, atOnce: index + 1) }
            }
            for try await numbers in group {
                try check(numbers == Array(0..<200), "a reader saw \(numbers)")
            }
        }
        try await published
    }

    static func wakesAReaderThatWaits(_ bus: any Bus) async throws {
        let reader = bus.subscribe(topic: "wake", from: .newest)
        async let delivery = reader.next(maxCount: 10)
        await Task.yield()
        try await publish(bus, events([1], on: "wake"))
        let seen = await delivery
        let payloads = seen?.events.map(\.payload)
        try check(payloads == [Array("1".utf8)], "it was woken for \(seen as Any)")
        try check(seen?.missed == 0, "nothing was missed, but \(seen as Any)")
    }

    static func endsACancelledReader(_ bus: any Bus) async throws {
        let reader = bus.subscribe(topic: "cancel", from: .newest)
        let waiting = Task { await reader.next(maxCount: 1) }
        await Task.yield()
        waiting.cancel()
        let ended = await waiting.value
        try check(ended == nil, "a cancelled reader was given \(ended as Any)")
    }

    static func keepsTopicsApart(_ bus: any Bus) async throws {
        let left = bus.subscribe(topic: "left", from: .oldest)
        let right = bus.subscribe(topic: "right", from: .oldest)
        let mixed = (0..<10).map { event($0, on: $0 % 2 == 0 ? "left" : "right") }
        try await publish(bus, mixed)
        let even = try await read(5, from: left)
        let odd = try await read(5, from: right)
        try check(even == [0, 2, 4, 6, 8] && odd == [1, 3, 5, 7, 9], "\(even) and \(odd)")
    }
}
