import ManagerCore
import Spec
import TestKit
import Testing

/// Random histories under every policy: bounds, order and accounts always hold.
@Suite struct PublishQueuePropertyTests {
    private struct History {
        var queue: PublishQueue<TestRun<Int>>
        var bounds: MessageAmount
        var offered = 0
        var nextNumber = 1
        var delivered: [Int] = []
        var batch: PublishQueue<TestRun<Int>>.Batch?
        var wasLowered = false
    }

    @Test(arguments: UInt64(1)...30) func boundsOrderAndAccountsHold(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let policy = ConnectionSpec.Overflow.allCases[Int(seed % 3)]
        let bounds = MessageAmount(
            messages: Int.random(in: 1...40, using: &generator),
            bytes: Int.random(in: 1...400, using: &generator))
        var history = History(
            queue: PublishQueue(bounds: bounds, overflow: policy), bounds: bounds)
        for _ in 0..<2000 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5: append(&history, using: &generator)
            case 5: appendWhole(&history, using: &generator)
            case 6, 7: take(&history, using: &generator)
            case 8: complete(&history, using: &generator)
            default: edit(&history, policy, using: &generator)
            }
            check(history, seed)
        }
        #expect(history.delivered == history.delivered.sorted(), "seed \(seed)")
        #expect(Set(history.delivered).count == history.delivered.count, "seed \(seed)")
    }

    private func append(_ history: inout History, using generator: inout SplitMix64) {
        let bytes = Int.random(in: 0...60, using: &generator)
        let before = history.queue.held
        let answer = history.queue.append(history.nextNumber, bytes: bytes)
        if answer == .full {
            // Not taken: the same number is offered again later.
            #expect(history.queue.held == before)
            #expect(history.queue.shouldPauseReading)
            return
        }
        history.offered += 1
        history.nextNumber += 1
    }

    /// What one read brought goes in as it is or not at all.
    private func appendWhole(_ history: inout History, using generator: inout SplitMix64) {
        let count = Int.random(in: 1...12, using: &generator)
        let numbers = Array(history.nextNumber..<(history.nextNumber + count))
        let sizes = numbers.map { _ in Int.random(in: 0...30, using: &generator) }
        let before = history.queue.held
        guard history.queue.appendWhole(TestRun(numbers, sizes: sizes)) else {
            #expect(history.queue.held == before)
            return
        }
        #expect(history.queue.held.messages == before.messages + count)
        history.offered += count
        history.nextNumber += count
    }

    private func take(_ history: inout History, using generator: inout SplitMix64) {
        let batch = history.queue.take(
            maxCount: Int.random(in: 1...10, using: &generator),
            maxBytes: Int.random(in: 1...200, using: &generator))
        #expect(batch == nil || history.batch == nil)
        if let batch { history.batch = batch }
    }

    private func complete(_ history: inout History, using generator: inout SplitMix64) {
        guard let batch = history.batch else { return }
        history.batch = nil
        // A bus in ordered mode takes a prefix and leaves the rest.
        let taken = Int.random(in: 0...batch.elements.count, using: &generator)
        var outcomes = batch.elements.indices.map {
            $0 < taken ? PublishQueue<TestRun<Int>>.Outcome.delivered : .retry
        }
        if taken > 0, Int.random(in: 0..<5, using: &generator) == 0 {
            outcomes[0] = .dropped(.refusedByBus)
        }
        for (element, outcome) in zip(batch.elements, outcomes) where outcome == .delivered {
            history.delivered.append(element)
        }
        let completed = history.queue.batchCompleted(batch.number, outcomes)
        let sum =
            completed.delivered.bytes + completed.dropped.bytes + completed.returned.bytes
        #expect(sum == batch.bytes)
    }

    private func edit(
        _ history: inout History, _ policy: ConnectionSpec.Overflow,
        using generator: inout SplitMix64
    ) {
        guard Int.random(in: 0..<10, using: &generator) == 0 else { return }
        let held = history.queue.held
        history.bounds = MessageAmount(
            messages: Int.random(in: 1...40, using: &generator),
            bytes: Int.random(in: 60...400, using: &generator))
        history.queue.policyChanged(bounds: history.bounds, overflow: policy)
        #expect(history.queue.held == held)
        history.wasLowered = true
    }

    private func check(_ history: History, _ seed: UInt64) {
        let queue = history.queue
        if !history.wasLowered {
            #expect(queue.held.messages <= history.bounds.messages, "seed \(seed)")
            #expect(queue.held.bytes <= history.bounds.bytes, "seed \(seed)")
        }
        let held = UInt64(queue.held.messages)
        #expect(UInt64(history.offered) == queue.accepted + queue.refused.total, "seed \(seed)")
        #expect(queue.accepted == queue.delivered + queue.discarded.total + held, "seed \(seed)")
        #expect(queue.delivered == UInt64(history.delivered.count), "seed \(seed)")
        #expect(held == UInt64(queue.waitingCount + (history.batch?.elements.count ?? 0)))
        if queue.overflow != .block { #expect(!queue.shouldPauseReading, "seed \(seed)") }
        if queue.overflow == .block { #expect(queue.discarded[.dropOldest] == 0) }
    }
}
