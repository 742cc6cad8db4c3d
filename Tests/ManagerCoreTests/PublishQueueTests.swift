import ManagerCore
import Spec
import Testing

@Suite struct PublishQueueTests {
    private func queue(
        _ messages: Int, _ bytes: Int, _ overflow: ConnectionSpec.Overflow = .block
    ) -> PublishQueue<TestRun<Int>> {
        PublishQueue(
            bounds: MessageAmount(messages: messages, bytes: bytes), overflow: overflow)
    }

    @Test func messagesComeOutInOrderAndAreCounted() {
        var queue = queue(10, 1000)
        for number in 1...3 { #expect(queue.append(number, bytes: 10) == .accepted) }
        let batch = queue.take(maxCount: 2, maxBytes: 1000)
        #expect(batch?.elements == [1, 2])
        #expect(batch?.bytes == 20)
        #expect(queue.held == MessageAmount(messages: 3, bytes: 30))
        let completed = queue.batchCompleted(1, all: .delivered)
        #expect(completed.delivered == MessageAmount(messages: 2, bytes: 20))
        #expect(queue.held == MessageAmount(messages: 1, bytes: 10))
        #expect(queue.delivered == 2)
        #expect(queue.take(maxCount: 2, maxBytes: 1000)?.elements == [3])
    }

    @Test func whatWentPastIsCountedAndLeavesTheRestAlone() {
        var queue = queue(10, 1000)
        queue.wentPast(messages: 3)
        #expect(queue.accepted == 3 && queue.delivered == 3)
        #expect(queue.held == MessageAmount() && !queue.shouldPauseReading)
        queue.fill([1])
        #expect(queue.take(maxCount: 2, maxBytes: 1000)?.elements == [1])
        _ = queue.batchCompleted(1, all: .delivered)
        #expect(queue.accepted == 4 && queue.delivered == 4)
    }

    @Test func onlyOneBatchIsInFlight() {
        var queue = queue(10, 1000)
        #expect(queue.take(maxCount: 1, maxBytes: 1) == nil)
        queue.fill([1, 2])
        #expect(queue.take(maxCount: 1, maxBytes: 1) != nil)
        #expect(queue.take(maxCount: 1, maxBytes: 1) == nil)
    }

    @Test func aBatchHasAtLeastOneMessageAndStopsAtItsBytes() {
        var queue = queue(10, 1000)
        _ = queue.append(1, bytes: 500)
        _ = queue.append(2, bytes: 10)
        _ = queue.append(3, bytes: 10)
        #expect(queue.take(maxCount: 10, maxBytes: 20)?.elements == [1])
        _ = queue.batchCompleted(1, all: .delivered)
        #expect(queue.take(maxCount: 10, maxBytes: 20)?.elements == [2, 3])
    }

    @Test func whatIsToBeSentAgainGoesToTheFrontInOrder() {
        var queue = queue(10, 1000)
        queue.fill([1, 2, 3, 4, 5])
        _ = queue.take(maxCount: 4, maxBytes: 1000)
        let completed = queue.batchCompleted(
            1, [.delivered, .retry, .dropped(.refusedByBus)])
        #expect(completed.delivered.messages == 1)
        #expect(completed.dropped.messages == 1)
        #expect(completed.returned.messages == 2)
        #expect(queue.discarded[.refusedByBus] == 1)
        let again = queue.take(maxCount: 10, maxBytes: 1000)
        #expect(again?.elements == [2, 4, 5])
        #expect(again?.number == 2)
    }

    @Test func aLateAnswerChangesNothing() {
        var queue = queue(10, 1000)
        queue.fill([1, 2])
        _ = queue.take(maxCount: 1, maxBytes: 1000)
        #expect(queue.discardAll(reason: .shutdown).messages == 2)
        queue.fill([3])
        _ = queue.take(maxCount: 1, maxBytes: 1000)
        #expect(queue.batchCompleted(1, all: .delivered) == .init())
        #expect(queue.delivered == 0)
        #expect(queue.batchCompleted(2, all: .delivered).delivered.messages == 1)
        #expect(queue.batchCompleted(2, all: .delivered) == .init())
        #expect(queue.discarded[.shutdown] == 2)
    }

    @Test func aMessageLargerThanTheWholeBufferIsRefusedByEveryPolicy() {
        for policy in ConnectionSpec.Overflow.allCases {
            var queue = queue(10, 100, policy)
            #expect(queue.append(1, bytes: 101) == .refused(.tooLarge))
            #expect(queue.append(2, bytes: 100) == .accepted)
            #expect(queue.refused[.tooLarge] == 1)
        }
    }

    @Test func blockPausesAtSevenEighthsAndResumesBelowHalf() {
        var queue = queue(16, 1000)
        queue.fill(1...13)
        #expect(!queue.shouldPauseReading)
        queue.fill([14])
        #expect(queue.shouldPauseReading)
        _ = queue.take(maxCount: 6, maxBytes: 1000)
        _ = queue.batchCompleted(1, all: .delivered)
        #expect(queue.held.messages == 8)
        #expect(queue.shouldPauseReading)
        _ = queue.take(maxCount: 1, maxBytes: 1000)
        #expect(queue.shouldPauseReading)
        _ = queue.batchCompleted(2, all: .delivered)
        #expect(!queue.shouldPauseReading)
    }

    @Test func blockTakesNothingBeyondTheBoundAndLosesNothing() {
        var queue = queue(16, 1000)
        queue.fill(1...16)
        #expect(queue.append(17, bytes: 1) == .full)
        #expect(queue.room == MessageAmount())
        #expect(queue.dropped.total == 0)
        _ = queue.take(maxCount: 1, maxBytes: 1000)
        #expect(queue.append(17, bytes: 1) == .full)
        _ = queue.batchCompleted(1, all: .delivered)
        #expect(queue.append(17, bytes: 1) == .accepted)
        #expect(queue.take(maxCount: 100, maxBytes: 1000)?.elements == Array(2...17))
    }

    @Test func aMessageThatDoesNotFitPausesReadingBelowTheMarkToo() {
        var queue = queue(100, 1000)
        _ = queue.append(1, bytes: 600)
        #expect(!queue.shouldPauseReading)
        #expect(queue.append(2, bytes: 500) == .full)
        #expect(queue.shouldPauseReading)
        _ = queue.take(maxCount: 1, maxBytes: 1000)
        _ = queue.batchCompleted(1, all: .delivered)
        #expect(!queue.shouldPauseReading)
        #expect(queue.append(2, bytes: 500) == .accepted)
    }

    @Test func theSmallestBufferStillWorks() {
        var queue = queue(1, 1)
        #expect(queue.append(1, bytes: 1) == .accepted)
        #expect(queue.shouldPauseReading)
        #expect(queue.append(2, bytes: 0) == .full)
        _ = queue.take(maxCount: 1, maxBytes: 1)
        _ = queue.batchCompleted(1, all: .delivered)
        #expect(!queue.shouldPauseReading)
        #expect(queue.append(2, bytes: 0) == .accepted)
    }

    @Test func dropNewestRefusesAndNeverPauses() {
        var queue = queue(2, 1000, .dropNewest)
        queue.fill([1, 2])
        #expect(queue.append(3, bytes: 1) == .refused(.dropNewest))
        #expect(!queue.shouldPauseReading)
        #expect(queue.refused[.dropNewest] == 1)
        #expect(queue.take(maxCount: 5, maxBytes: 1000)?.elements == [1, 2])
    }

    @Test func dropOldestDropsAsManyAsTheNewOneNeeds() {
        var queue = queue(10, 100, .dropOldest)
        for number in 1...4 { _ = queue.append(number, bytes: 25) }
        #expect(
            queue.append(5, bytes: 30)
                == .acceptedDroppedOldest(MessageAmount(messages: 2, bytes: 50)))
        #expect(queue.discarded[.dropOldest] == 2)
        #expect(queue.take(maxCount: 5, maxBytes: 1000)?.elements == [3, 4, 5])
    }

    @Test func whatIsInFlightIsNeverDropped() {
        var queue = queue(3, 1000, .dropOldest)
        queue.fill([1, 2, 3])
        _ = queue.take(maxCount: 2, maxBytes: 1000)
        #expect(
            queue.append(4, bytes: 1)
                == .acceptedDroppedOldest(MessageAmount(messages: 1, bytes: 1)))
        _ = queue.batchCompleted(1, all: .retry)
        _ = queue.take(maxCount: 3, maxBytes: 1000)
        #expect(queue.append(5, bytes: 1) == .refused(.bufferFull))
        _ = queue.batchCompleted(2, all: .delivered)
        #expect(queue.delivered == 3)
    }

    @Test func loweringABoundDropsNothing() {
        var queue = queue(100, 1000, .dropOldest)
        queue.fill(1...50)
        queue.policyChanged(bounds: MessageAmount(messages: 10, bytes: 1000), overflow: .dropOldest)
        #expect(queue.held.messages == 50)
        // A new message displaces one of its like, not forty.
        #expect(
            queue.append(51, bytes: 1)
                == .acceptedDroppedOldest(MessageAmount(messages: 1, bytes: 1)))
        #expect(queue.held.messages == 50)
        queue.policyChanged(bounds: MessageAmount(messages: 10, bytes: 1000), overflow: .block)
        #expect(queue.shouldPauseReading)
        #expect(queue.append(52, bytes: 1) == .full)
        queue.policyChanged(bounds: MessageAmount(messages: 10, bytes: 1000), overflow: .dropNewest)
        #expect(!queue.shouldPauseReading)
        #expect(queue.append(52, bytes: 1) == .refused(.dropNewest))
        #expect(queue.take(maxCount: 100, maxBytes: 1000)?.elements == Array(2...51))
    }

    @Test func theSharedBudgetCanTakeBytesBack() {
        var queue = queue(10, 100)
        for number in 1...4 { _ = queue.append(number, bytes: 10) }
        let freed = queue.dropOldest(freeing: 15, reason: .budget)
        #expect(freed == MessageAmount(messages: 2, bytes: 20))
        #expect(queue.discarded[.budget] == 2)
        #expect(queue.dropOldest(freeing: 100, reason: .budget).messages == 2)
        #expect(queue.held == MessageAmount())
    }
}

extension PublishQueue<TestRun<Int>> {
    /// Appends messages of one byte each.
    fileprivate mutating func fill(_ numbers: some Sequence<Int>) {
        for number in numbers { _ = append(number, bytes: 1) }
    }
}
