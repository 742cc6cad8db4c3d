import NIOCore
import Testing

@testable import WebSocket

@Suite struct DeadlineQueueTests {
    private static func at(_ seconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(0) + .seconds(seconds)
    }

    /// Everybody whose deadline has come, in order.
    private static func due(_ queue: inout DeadlineQueue<String>, _ seconds: Int64) -> [String] {
        var due: [String] = []
        while let owner = queue.takeDue(Self.at(seconds)) { due.append(owner) }
        return due
    }

    @Test func theyComeInTheOrderInWhichTheyAreDue() {
        var queue = DeadlineQueue<String>()
        for (seconds, owner) in [(20, "d"), (5, "a"), (10, "c"), (5, "b")] as [(Int64, String)] {
            _ = queue.set(Self.at(seconds), owner)
        }
        #expect(queue.next == Self.at(5))
        #expect(Self.due(&queue, 4) == [])
        #expect(Self.due(&queue, 10) == ["a", "b", "c"])
        #expect(queue.next == Self.at(20))
        #expect(Self.due(&queue, 60) == ["d"])
        #expect(queue.next == nil)
    }

    @Test func whatIsTakenBackDoesNotCome() {
        var queue = DeadlineQueue<String>()
        let first = queue.set(Self.at(1), "first")
        let second = queue.set(Self.at(2), "second")
        _ = queue.set(Self.at(3), "third")
        queue.remove(second)
        #expect(queue.next == Self.at(1))
        queue.remove(first)
        #expect(queue.next == Self.at(3))
        #expect(Self.due(&queue, 9) == ["third"])
    }

    @Test func takingBackWhatHasComeDoesNothing() {
        var queue = DeadlineQueue<String>()
        let first = queue.set(Self.at(1), "first")
        #expect(Self.due(&queue, 1) == ["first"])
        _ = queue.set(Self.at(2), "second")
        queue.remove(first)
        #expect(queue.next == Self.at(2))
    }

    @Test func anyOrderOfAHundredThousandAgreesWithASortedList() {
        var queue = DeadlineQueue<Int>()
        var model: [(number: DeadlineQueue<Int>.Number, due: Int64, owner: Int)] = []
        for owner in 0..<100_000 {
            let due = Int64(owner * 7_919 % 1_000)
            model.append((queue.set(Self.at(due), owner), due, owner))
            // Two of three are taken back, as of dials that succeed.
            guard owner % 3 > 0 else { continue }
            let fromTheEnd = owner * 31 % min(300, model.count)
            queue.remove(model.remove(at: model.count - 1 - fromTheEnd).number)
        }
        model.sort { ($0.due, $0.number) < ($1.due, $1.number) }
        var came: [Int] = []
        while let owner = queue.takeDue(Self.at(1_000)) { came.append(owner) }
        #expect(came == model.map(\.owner))
    }
}
