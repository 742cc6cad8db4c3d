internal import DequeModule

extension PublishQueue {
    /// What the publisher is to publish now, in order.
    package struct Batch: Sendable {
        /// Names the batch in ``PublishQueue/batchCompleted(_:_:)``.
        package var number: UInt64
        package var runs: [Run]
        package var messages: Int
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
    package var hasBatchInFlight: Bool { inFlightMessages > 0 }

    /// Messages that could be taken, in flight not counted.
    package var waitingCount: Int { held.messages - inFlightMessages }

    /// Takes the next batch: the oldest messages, at least one of them whatever its size.
    ///
    /// - Returns: `nil` if nothing is waiting, or a batch is in flight already.
    @specialized(where Run == EventRun)
    package mutating func take(maxCount: Int, maxBytes: Int) -> Batch? {
        guard inFlight.isEmpty, !waiting.isEmpty else { return nil }
        var taken = MessageAmount()
        while taken.messages < maxCount, let run = waiting.first {
            let isWhole =
                run.count <= maxCount - taken.messages && run.bytes <= maxBytes - taken.bytes
            if isWhole {
                waiting.removeFirst()
                inFlight.append(run)
                taken.messages += run.count
                taken.bytes += run.bytes
                continue
            }
            let least = taken.messages == 0 ? 1 : 0
            let within = run.countWithin(maxBytes - taken.bytes)
            let count = max(least, min(within, maxCount - taken.messages))
            if count > 0 {
                let part = run.prefix(count)
                inFlight.append(part)
                taken.messages += count
                taken.bytes += part.bytes
                if count == run.count {
                    waiting.removeFirst()
                } else {
                    waiting[0].removeFirst(count)
                }
            }
            break
        }
        inFlightMessages = taken.messages
        batchNumber += 1
        return Batch(
            number: batchNumber, runs: inFlight, messages: taken.messages, bytes: taken.bytes)
    }

    /// The bus answered.
    ///
    /// Messages to be sent again go back to the front, in their order. A missing outcome counts
    /// as `.retry`. A batch that is not in flight (any more) changes nothing: a late answer after
    /// ``discardAll(reason:)``.
    @specialized(where Run == EventRun)
    package mutating func batchCompleted(_ number: UInt64, _ outcomes: [Outcome]) -> Completed {
        var completed = Completed()
        guard number == batchNumber, !inFlight.isEmpty else { return completed }
        sortOut(outcomes, into: &completed)
        return end(completed)
    }

    /// The bus has the whole batch.
    @specialized(where Run == EventRun)
    package mutating func batchDelivered(_ number: UInt64) -> Completed {
        var completed = Completed()
        guard number == batchNumber, !inFlight.isEmpty else { return completed }
        completed.delivered = MessageAmount(
            messages: inFlightMessages, bytes: inFlight.reduce(0) { $0 + $1.bytes })
        return end(completed)
    }

    private mutating func end(_ completed: Completed) -> Completed {
        inFlight.removeAll(keepingCapacity: true)
        inFlightMessages = 0
        release(completed.delivered)
        release(completed.dropped)
        delivered += UInt64(completed.delivered.messages)
        amountChanged()
        return completed
    }

    private mutating func sortOut(_ outcomes: [Outcome], into completed: inout Completed) {
        // From the back, so that those to be sent again keep their order at the front.
        var place = inFlightMessages
        for run in inFlight.reversed() {
            var returned = run.count..<run.count
            for index in (0..<run.count).reversed() {
                place -= 1
                let bytes = run.bytes(at: index)
                switch place < outcomes.count ? outcomes[place] : .retry {
                case .delivered:
                    completed.delivered.add(bytes)
                case .dropped(let reason):
                    completed.dropped.add(bytes)
                    discarded.count(reason)
                case .retry:
                    completed.returned.add(bytes)
                    // Neighbours go back together.
                    if returned.lowerBound != index + 1 {
                        putBack(run, returned)
                        returned = (index + 1)..<(index + 1)
                    }
                    returned = index..<returned.upperBound
                }
            }
            putBack(run, returned)
        }
    }

    private mutating func putBack(_ run: Run, _ range: Range<Int>) {
        if !range.isEmpty { waiting.prepend(run.part(range)) }
    }

    /// Empties the queue without counting: what it held is kept elsewhere.
    ///
    /// - Returns: All but the last so many, what was in flight first.
    package mutating func takeAll(butLast kept: Int) -> [Run] {
        var left = max(0, held.messages - kept)
        var taken: [Run] = []
        for run in inFlight + waiting where left > 0 {
            let part = run.prefix(min(left, run.count))
            taken.append(part)
            left -= part.count
        }
        accepted -= UInt64(held.messages)
        waiting.removeAll()
        inFlight.removeAll()
        inFlightMessages = 0
        held = MessageAmount()
        amountChanged()
        return taken
    }

    /// Drops and counts everything, in flight too; for the end of a connection or of the process.
    package mutating func discardAll(reason: DropReason) -> MessageAmount {
        let dropped = held
        discarded.count(reason, messages: dropped.messages)
        waiting.removeAll()
        inFlight.removeAll()
        inFlightMessages = 0
        held = MessageAmount()
        amountChanged()
        return dropped
    }
}

extension MessageAmount {
    mutating func add(_ bytes: Int) {
        messages += 1
        self.bytes += bytes
    }
}
