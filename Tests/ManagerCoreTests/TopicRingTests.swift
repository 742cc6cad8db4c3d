import ManagerCore
import TestKit
import Testing

@Suite struct TopicRingTests {
    @Test func positionsCountFromOne() {
        var ring = TopicRing<TestRun<String>>()
        #expect(ring.newestPosition == 0)
        #expect(ring.oldestPosition == 1)
        #expect(ring.append("a", bytes: 1) == 1)
        #expect(ring.append("b", bytes: 1) == 2)
        #expect(ring.newestPosition == 2)
        #expect(ring.position(for: .oldest) == 1)
        #expect(ring.position(for: .newest) == 3)
        #expect(ring.position(for: .after(1)) == 2)
        #expect(ring.position(for: .after(.max)) == .max)
    }

    @Test func aReaderGetsWhatIsNewOnce() {
        var ring = TopicRing<TestRun<String>>()
        for message in ["a", "b", "c"] { ring.append(message, bytes: 1) }
        #expect(ring.take(1) == .init(messages: ["a", "b", "c"], next: 4))
        #expect(ring.take(4) == .init(messages: [], next: 4))
        #expect(ring.take(0) == .init(messages: ["a", "b", "c"], next: 4))
        #expect(ring.take(2, maxCount: 1) == .init(messages: ["b"], next: 3))
    }

    @Test func aReadStopsAtItsBytesButGivesOneMessage() {
        var ring = TopicRing<TestRun<String>>()
        ring.append("large", bytes: 100)
        ring.append("small", bytes: 1)
        ring.append("small too", bytes: 1)
        #expect(ring.take(1, maxBytes: 10) == .init(messages: ["large"], next: 2))
        #expect(ring.take(2, maxBytes: 2) == .init(messages: ["small", "small too"], next: 4))
    }

    @Test func aReaderThatFellBehindIsToldHowMuchItMissed() {
        var ring = TopicRing<TestRun<Int>>(maxMessages: 3, maxBytes: 1000)
        for number in 1...10 { ring.append(number, bytes: 1) }
        #expect(ring.count == 3)
        #expect(ring.take(5) == .init(missed: 3, next: 8))
        #expect(ring.take(0) == .init(missed: 7, next: 8))
        #expect(ring.take(8) == .init(messages: [8, 9, 10], next: 11))
    }

    @Test func aPositionInTheFutureIsAGapOfUnknownLength() {
        var ring = TopicRing<TestRun<Int>>()
        ring.append(1, bytes: 1)
        #expect(ring.take(500) == .init(missed: 0, next: 1))
        #expect(ring.take(.max) == .init(missed: 0, next: 1))
        #expect(ring.take(3) == .init(missed: 0, next: 1))
    }

    @Test func theLatestMessageIsHeldWhateverItsSize() {
        var ring = TopicRing<TestRun<Int>>(maxMessages: 10, maxBytes: 100)
        ring.append(1, bytes: 60)
        ring.append(2, bytes: 40)
        #expect(ring.count == 2)
        ring.append(3, bytes: 500)
        #expect(ring.count == 1)
        #expect(ring.bytes == 500)
        ring.append(4, bytes: 1)
        #expect(ring.take(3) == .init(missed: 1, next: 4))
    }

    @Test func whatIsUnreadIsKeptBeyondTheReplay() {
        var ring = TopicRing<TestRun<Int>>(maxMessages: 3, maxBytes: 10, backlogBytes: 20)
        ring.keepUnread(from: 2)
        for number in 1...10 { ring.append(number, bytes: 2) }
        #expect(ring.oldestPosition == 2, "the first is read")
        ring.append(11, bytes: 2)
        #expect(ring.oldestPosition == 2 && ring.bytes == 20)
        ring.append(12, bytes: 3)
        #expect(ring.oldestPosition == 4 && ring.bytes == 19, "no more than the backlog")
        ring.keepUnread(from: 8)
        #expect(ring.oldestPosition == 8)
        ring.keepUnread(from: nil)
        #expect(ring.oldestPosition == 10 && ring.count == 3)
    }

    @Test func muchIsForgottenInParts() {
        let runs = 3 * TopicRing<TestRun<Int>>.runsAtOnce
        var ring = TopicRing<TestRun<Int>>(
            maxMessages: 3, maxBytes: 10, backlogBytes: 2 * runs)
        ring.keepUnread(from: 1)
        for number in 1...runs { ring.append(number, bytes: 2) }
        #expect(ring.count == runs)
        var parts = 1
        var isMore = ring.keepUnread(from: nil)
        while isMore {
            parts += 1
            isMore = ring.trim()
        }
        #expect(ring.count == 3 && parts == 3)
    }

    @Test func withoutABacklogReadersCountForNothing() {
        var ring = TopicRing<TestRun<Int>>(maxMessages: 3, maxBytes: 10, backlogBytes: 0)
        ring.keepUnread(from: 1)
        for number in 1...10 { ring.append(number, bytes: 2) }
        #expect(ring.count == 3)
    }

    /// Who is not behind by more than the backlog misses nothing, whatever the others do.
    @Test(arguments: UInt64(1)...20) func nobodyMissesWhatTheBacklogHolds(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let maxMessages = Int.random(in: 1...20, using: &generator)
        let maxBytes = Int.random(in: 1...200, using: &generator)
        let backlog = Int.random(in: 0...500, using: &generator)
        var ring = TopicRing<TestRun<Int>>(
            maxMessages: maxMessages, maxBytes: maxBytes, backlogBytes: backlog)
        var positions = ReaderPositions()
        let readers = (0..<3).map { _ in positions.add(at: 1) }
        ring.keepUnread(from: positions.first())
        var sizes: [Int] = []
        for _ in 0..<3000 {
            if Bool.random(using: &generator) {
                sizes.append(Int.random(in: 0...40, using: &generator))
                ring.append(sizes.count, bytes: sizes.last!)
                #expect(ring.bytes <= max(maxBytes, backlog) || ring.count == 1)
                continue
            }
            let reader = readers[[0, 0, 0, 1, 1, 2][Int.random(in: 0..<6, using: &generator)]]
            let from = positions[reader]
            let behind = sizes[(Int(from) - 1)...].reduce(0, +)
            switch ring.read(from: from, maxCount: 5, maxBytes: 60) {
            case .messages(let runs, let next):
                #expect(runs.flatMap(\.values) == Array(Int(from)..<Int(next)), "seed \(seed)")
                positions.move(reader, to: next)
            case .gap(let missed, let next):
                #expect(missed > 0 && behind > backlog, "seed \(seed)")
                positions.move(reader, to: next)
            }
            ring.keepUnread(from: positions.first())
        }
        for reader in readers { positions.remove(reader) }
        ring.keepUnread(from: positions.first())
        #expect(ring.count <= maxMessages && (ring.bytes <= maxBytes || ring.count == 1))
    }

    /// Readers of random pace: what they read and what they are told they missed is everything.
    @Test(arguments: UInt64(1)...20) func everyReaderAccountsForEveryMessage(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let maxMessages = Int.random(in: 1...50, using: &generator)
        let maxBytes = Int.random(in: 1...500, using: &generator)
        var ring = TopicRing<TestRun<UInt64>>(maxMessages: maxMessages, maxBytes: maxBytes)
        var readers = [UInt64](repeating: 1, count: 3)
        var accounted = [UInt64](repeating: 0, count: 3)
        var appended: UInt64 = 0
        for _ in 0..<3000 {
            if Bool.random(using: &generator) {
                appended += 1
                let bytes = Int.random(in: 0...40, using: &generator)
                #expect(ring.append(appended, bytes: bytes) == appended)
                #expect(ring.count <= maxMessages)
                #expect(ring.bytes <= maxBytes || ring.count == 1)
                continue
            }
            // The third reader is the slowest.
            let reader = [0, 0, 0, 1, 1, 2][Int.random(in: 0..<6, using: &generator)]
            switch ring.read(from: readers[reader], maxCount: 5, maxBytes: 60) {
            case .messages(let runs, let next):
                let messages = runs.flatMap(\.values)
                let expected = readers[reader]..<next
                #expect(messages == Array(expected), "seed \(seed)")
                accounted[reader] += UInt64(messages.count)
                readers[reader] = next
            case .gap(let missed, let next):
                #expect(missed > 0 && readers[reader] + missed == next, "seed \(seed)")
                accounted[reader] += missed
                readers[reader] = next
            }
            guard accounted[reader] == readers[reader] - 1 else {
                Issue.record("seed \(seed): reader \(reader) lost count at \(readers[reader])")
                return
            }
        }
    }
}

/// A read, fit to be compared.
private struct Taken<Message: Equatable>: Equatable {
    var messages: [Message] = []
    var missed: UInt64?
    var next: UInt64
}

extension TopicRing {
    fileprivate func take<Value>(
        _ position: UInt64, maxCount: Int = 100, maxBytes: Int = 1000
    ) -> Taken<Value> where Run == TestRun<Value> {
        switch read(from: position, maxCount: maxCount, maxBytes: maxBytes) {
        case .messages(let runs, let next): Taken(messages: runs.flatMap(\.values), next: next)
        case .gap(let missed, let next): Taken(missed: missed, next: next)
        }
    }
}
