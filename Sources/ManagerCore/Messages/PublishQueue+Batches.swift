internal import DequeModule

extension PublishQueue {
    /// What the publisher is to publish now, in order.
    package struct Batch: Sendable {
        /// Names the batch in ``PublishQueue/batchCompleted(_:_:)``.
        package var number: UInt64
        package var elements: [Element]
        package var bytes: Int
    }

    /// What became of one message of a batch.
    package enum Outcome: Sendable, Hashable {
        /// The bus has it.
        case delivered
        /// Not published, or not known: it goes out again under the same id.
        case retry
        /// It will never be published.
        case dropped(DropReason)
    }

    /// What ``batchCompleted(_:_:)`` did; `delivered` and `dropped` have left the queue.
    package struct Completed: Sendable, Hashable {
        package var delivered = MessageAmount()
        package var dropped = MessageAmount()
        package var returned = MessageAmount()

        package init() {}
    }

    /// True while a batch is at the bus.
    package var hasBatchInFlight: Bool { !inFlight.isEmpty }

    /// Messages that could be taken, in flight not counted.
    package var waitingCount: Int { waiting.count }

    /// Takes the next batch: the oldest messages, at least one of them whatever its size.
    ///
    /// - Returns: `nil` if nothing is waiting, or a batch is in flight already.
    package mutating func take(maxCount: Int, maxBytes: Int) -> Batch? {
        guard inFlight.isEmpty, !waiting.isEmpty else { return nil }
        var count = 1
        var bytes = waitingSizes[0]
        while count < min(waiting.count, maxCount), waitingSizes[count] <= maxBytes - bytes {
            bytes += waitingSizes[count]
            count += 1
        }
        inFlight = Array(waiting.prefix(count))
        inFlightSizes = Array(waitingSizes.prefix(count))
        waiting.removeFirst(count)
        waitingSizes.removeFirst(count)
        batchNumber += 1
        return Batch(number: batchNumber, elements: inFlight, bytes: bytes)
    }

    /// The bus answered.
    ///
    /// Messages to be sent again go back to the front, in their order. A missing outcome counts
    /// as `.retry`. A batch that is not in flight (any more) changes nothing: a late answer after
    /// ``discardAll(reason:)``.
    package mutating func batchCompleted(_ number: UInt64, _ outcomes: [Outcome]) -> Completed {
        var completed = Completed()
        guard number == batchNumber, !inFlight.isEmpty else { return completed }
        sortOut(outcomes, into: &completed)
        inFlight = []
        inFlightSizes = []
        release(completed.delivered)
        release(completed.dropped)
        delivered += UInt64(completed.delivered.messages)
        amountChanged()
        return completed
    }

    private mutating func sortOut(_ outcomes: [Outcome], into completed: inout Completed) {
        // From the back, so that those to be sent again keep their order at the front.
        for index in inFlight.indices.reversed() {
            let bytes = inFlightSizes[index]
            switch index < outcomes.count ? outcomes[index] : .retry {
            case .delivered:
                completed.delivered.add(bytes)
            case .dropped(let reason):
                completed.dropped.add(bytes)
                discarded.count(reason)
            case .retry:
                completed.returned.add(bytes)
                waiting.prepend(inFlight[index])
                waitingSizes.prepend(bytes)
            }
        }
    }

    /// The same outcome for the whole batch.
    package mutating func batchCompleted(_ number: UInt64, all outcome: Outcome) -> Completed {
        batchCompleted(number, Array(repeating: outcome, count: inFlight.count))
    }

    /// Drops and counts everything, in flight too; for the end of a connection or of the process.
    package mutating func discardAll(reason: DropReason) -> MessageAmount {
        let dropped = held
        discarded.count(reason, messages: dropped.messages)
        waiting.removeAll()
        waitingSizes.removeAll()
        inFlight.removeAll()
        inFlightSizes.removeAll()
        held = MessageAmount()
        amountChanged()
        return dropped
    }
}

extension MessageAmount {
    fileprivate mutating func add(_ bytes: Int) {
        messages += 1
        self.bytes += bytes
    }
}
