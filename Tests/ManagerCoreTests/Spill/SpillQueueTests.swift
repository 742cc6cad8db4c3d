import Spec
import TestKit
import Testing

@testable import ManagerCore

struct SpillQueueTests {
    private func run(_ count: Int, first: UInt64 = 1, bytes: Int = 10) -> EventRun {
        EventRun(
            origin: EventOrigin(uid: .sample("q"), epoch: 1, name: "a", url: "ws://a"),
            topic: "t", time: WallTime(nanosecondsSinceEpoch: 0), kind: .binary, data: .auto,
            firstSequence: first, payload: [UInt8](repeating: 0, count: count * bytes),
            ends: (1...count).map { $0 * bytes })
    }

    private static let noRoom = MessageAmount()
    private static let room = MessageAmount(messages: 100, bytes: 1 << 20)

    private func isWrite(_ operation: SpillQueue.Operation?, _ count: Int) -> Bool {
        if case .write(let runs)? = operation { runs.messageCount == count } else { false }
    }

    private func isNothing(_ operation: SpillQueue.Operation?) -> Bool {
        if case .none = operation { true } else { false }
    }

    private func isRead(_ operation: SpillQueue.Operation?) -> Bool {
        if case .read? = operation { true } else { false }
    }

    @Test func oneOperationIsUnderWayAtATime() {
        var queue = SpillQueue(limit: 1 << 20, stored: MessageAmount())
        #expect(!queue.isActive)
        #expect(queue.append(run(2)) == .accepted)
        #expect(isWrite(queue.next(room: Self.noRoom), 2))
        #expect(queue.append(run(3, first: 3)) == .accepted)
        let early = queue.next(room: Self.room)
        #expect(isNothing(early))
        queue.writeEnded(written: 1)
        #expect(queue.stored.messages == 2 && queue.pendingAmount.messages == 3)
        #expect(isRead(queue.next(room: Self.room)))
        queue.readEnded(queue.stored, isEmpty: true)
        #expect(isWrite(queue.next(room: Self.noRoom), 3))
        queue.writeEnded(written: 1)
        #expect(isRead(queue.next(room: Self.room)))
        queue.readEnded(queue.stored, isEmpty: true)
        #expect(!queue.isActive && queue.held == MessageAmount())
    }

    @Test func theDiskIsSparedWhereNothingIsOnIt() {
        var queue = SpillQueue(limit: 1 << 20, stored: MessageAmount())
        _ = queue.append(run(2))
        #expect(queue.takeUnwritten(room: MessageAmount(messages: 1, bytes: 1 << 20)).isEmpty)
        #expect(queue.takeUnwritten(room: Self.room).messageCount == 2)
        #expect(!queue.isActive)
        queue.found(MessageAmount(messages: 1, bytes: 300))
        _ = queue.append(run(2))
        #expect(queue.takeUnwritten(room: Self.room).isEmpty)
    }

    @Test func theBoundOfTheDiskAndThatOfMemoryHold() {
        var queue = SpillQueue(limit: 4 << 20, stored: MessageAmount())
        let large = run(1, bytes: 700_000)
        #expect(queue.append(large) == .accepted)
        #expect(queue.append(large) == .wait)
        _ = queue.next(room: Self.noRoom)
        queue.writeEnded(written: 1)
        #expect(queue.append(large) == .accepted)
        queue.limit = 1 << 20
        #expect(queue.append(large) == .full)
    }

    @Test func aDiskThatFailsIsLeftAloneUntilItIsTriedAgain() {
        var queue = SpillQueue(limit: 1 << 20, stored: MessageAmount())
        _ = queue.append(run(2))
        _ = queue.next(room: Self.noRoom)
        queue.writeEnded(written: 0)
        let none = queue.next(room: Self.noRoom)
        #expect(queue.isBroken && isNothing(none))
        queue.retry()
        #expect(isWrite(queue.next(room: Self.noRoom), 2))
    }

    @Test func whatIsGivenUpIsCounted() {
        var queue = SpillQueue(
            limit: 1 << 20, stored: MessageAmount(messages: 5, bytes: 5_000))
        _ = queue.append(run(2))
        #expect(queue.discard().messages == 7)
        #expect(!queue.isActive)
    }
}
