import Logging
package import ManagerCore
import NIOCore
import Spec

/// How long to leave the bus alone after it did not answer.
struct PublishRetry {
    /// The first wait, and the longest: soon enough that an outage of a second costs little, seldom
    /// enough that 10,000 connections do not hammer a broker that comes up.
    static let first: Duration = .milliseconds(100)
    static let longest: Duration = .seconds(5)

    /// A byte, for every connection has one.
    private var tries: UInt8 = 0

    mutating func next() -> Duration {
        let delay = Self.first * (1 << Int(tries))
        guard delay < Self.longest else { return Self.longest }
        tries += 1
        return delay
    }

    mutating func reset() { tries = 0 }
}

// MARK: Publishing

extension ManagedConnection {
    /// Of one call to the bus.
    static let batchMessages = 1_000
    static let batchBytes = 1 << 20
    /// Of one call to a broker that takes messages one by one: what it manages in a moment.
    static let remoteMessages = 100

    /// Hands what waits to the bus, and what finds room then.
    func publishNext() {
        repeat { publishWaiting() } while refillFromBacklog()
        finishIfDrained()
    }

    /// Hands batches to the bus; one is in flight at a time, so that order is kept.
    ///
    /// The right is asked right before each call; the runs carry it on to where a bus asks again.
    func publishWaiting() {
        let bus = environment.bus
        let limits = callLimits(isRemote: bus.isRemote)
        while publishTimer.deadline == nil, let gate = gateToPublish,
            !waitsForBatch(isRemote: bus.isRemote),
            let batch = queue.take(maxCount: limits.messages, maxBytes: limits.bytes)
        {
            guard let answer = bus.publishAtOnce(batch.runs) else {
                isCallUnderWay = true
                Task {
                    let answer =
                        gate.mayAct
                        ? await bus.publish(batch.runs) : .fenced(messages: batch.messages)
                    self.eventLoop.execute {
                        self.isCallUnderWay = false
                        self.published(batch, answer)
                        self.drainBacklog()
                        self.finishIfGone()
                    }
                }
                return
            }
            published(batch, answer)
        }
    }

    private func callLimits(isRemote: Bool) -> MessageAmount {
        guard isRemote else {
            return MessageAmount(messages: Self.batchMessages, bytes: Self.batchBytes)
        }
        let publish = desired.spec.publish
        // What is in a call cannot be dropped, so a broker that is away is tried with one.
        if facts.publishFailure != nil {
            return MessageAmount(messages: 1, bytes: Self.batchBytes)
        }
        if publish.batch == .array {
            return MessageAmount(messages: publish.batchMessages, bytes: publish.batchBytes)
        }
        let messages = publish.order == .strict ? Self.remoteMessages : Self.batchMessages
        return MessageAmount(messages: messages, bytes: Self.batchBytes)
    }

    /// Lets the first message of an array wait for others, `publish.batchDelay` at most.
    private func waitsForBatch(isRemote: Bool) -> Bool {
        guard isRemote else { return false }
        let publish = desired.spec.publish
        guard publish.batch == .array, publish.batchDelay > .zero, onDrained == nil,
            !queue.hasBatchInFlight, queue.held.messages > 0,
            queue.held.messages < publish.batchMessages, queue.held.bytes < publish.batchBytes,
            !isBatchDue
        else {
            if !queue.hasBatchInFlight {
                batchTimer.cancel()
                isBatchDue = false
            }
            return false
        }
        guard batchTimer.deadline == nil else { return true }
        batchTimer.arm(now.advanced(by: publish.batchDelay), now: now, on: eventLoop) {
            [weak self] in
            guard let self else { return }
            self.batchTimer.fired()
            self.isBatchDue = true
            self.publishNext()
        }
        return true
    }

    /// Nothing goes out in the shadow, ahead of the gap event of a new owner, or by a gate that is
    /// closed; then the connection looks again by itself.
    private var gateToPublish: ShardGate? {
        guard let gate = right.gate, !isAwaitingGapEvent, !isGone else { return nil }
        if gate.mayAct { return gate }
        if queue.waitingCount > 0 { watchGate() }
        return nil
    }

    private func published(_ batch: PublishQueue<EventRun>.Batch, _ answer: PublishAnswer) {
        switch answer {
        case .accepted:
            settle(queue.batchDelivered(batch.number))
            recentFrames?.published(batch.runs)
            noteLateness(messages: batch.messages)
            notePublishing(failure: nil, lastAccepted: batch.runs.last?.lastSequence ?? 0)
        case .outcomes(let outcomes):
            published(batch, outcomes)
        }
    }

    private func published(_ batch: PublishQueue<EventRun>.Batch, _ outcomes: [PublishOutcome]) {
        let places = batch.runs.flatMap { run in (0..<run.count).map { (run, $0) } }
        var failure: String?
        var accepted: UInt64 = 0
        var isFenced = false
        let answers = zip(places, outcomes).map { place, outcome in
            let (run, index) = place
            switch outcome {
            case .accepted:
                accepted = run.id(at: index).sequence
                recentFrames?.published(run, at: index)
                return PublishQueue<EventRun>.Outcome.delivered
            case .unavailable(let sentence):
                failure = sentence
                return .retry
            case .notTried:
                return .retry
            case .fenced:
                isFenced = true
                return .retry
            case .refused(let sentence):
                // An heir must not take it up again: the place is behind it.
                recentFrames?.published(run, at: index)
                log(
                    .warning, "the bus refused a message for good",
                    ["cause": "\(sentence)", "id": "\(run.id(at: index))"])
                return .dropped(.refusedByBus)
            }
        }
        noteLateness(messages: answers.count(where: { $0 == .delivered }))
        if failure != nil {
            environment.metrics.publishUnavailable.add(answers.count(where: { $0 == .retry }))
        }
        settle(queue.batchCompleted(batch.number, answers))
        if isFenced { watchGate() }
        // Where none had its turn there is nothing to be learnt.
        if failure != nil || outcomes.contains(where: { $0 != .notTried && $0 != .fenced }) {
            notePublishing(failure: failure, lastAccepted: accepted)
        }
    }

    /// Nobody can tell whether another owner has published before such a call ended.
    func noteLateness(messages: Int) {
        guard messages > 0, let gate = right.gate,
            gate.lease.isLate(by: environment.publishLimit)
        else { return }
        environment.metrics.publishedLate.add(messages)
        publishedLate += UInt64(messages)
    }

    private func settle(_ completed: PublishQueue<EventRun>.Completed) {
        environment.buffers.release(completed.delivered.bytes + completed.dropped.bytes)
        if spill != nil {
            spillSettled()
            stepSpill()
        }
    }

    private func notePublishing(failure: String?, lastAccepted: UInt64) {
        let before = (facts.publishFailure, facts.hasFirstMessage)
        facts.publishFailure = failure
        if lastAccepted >= firstSequenceOfSocket, socket != nil { facts.hasFirstMessage = true }
        if let failure {
            environment.busHealth.failed(failure)
        } else if before.0 != nil {
            environment.busHealth.recovered()
        }
        if failure == nil {
            publishRetry.reset()
        } else {
            publishTimer.arm(now.advanced(by: publishRetry.next()), now: now, on: eventLoop) {
                self.publishTimer.fired()
                self.publishNext()
            }
        }
        if before != (facts.publishFailure, facts.hasFirstMessage) { changed() }
    }

    /// The record is gone: what is buffered is still published; `then` is told when nothing is left.
    /// Any thread.
    package func drain(then: @escaping @Sendable () -> Void) {
        eventLoop.execute {
            self.onDrained = then
            self.finishIfDrained()
        }
    }

    /// Gives up what is still buffered, counted under `reason`. Any thread.
    package func discard(_ reason: DropReason) {
        eventLoop.execute { self.discardNow(reason) }
    }

    func discardNow(_ reason: DropReason) {
        queue.countRefused(reason, messages: backlog.count)
        backlog.removeAll()
        let dropped = queue.discardAll(reason: reason)
        environment.buffers.release(dropped.bytes)
        // What is on the disk at the end of the process is published by the next one.
        if reason != .shutdown { queue.countRefused(reason, messages: discardSpill()) }
        publishTimer.cancel()
        refreshTraffic()
        finishIfDrained()
    }

    func finishIfDrained() {
        checkQuiet()
        guard let onDrained, hasNothingWaiting, !isCallUnderWay else { return }
        self.onDrained = nil
        onDrained()
    }
}
