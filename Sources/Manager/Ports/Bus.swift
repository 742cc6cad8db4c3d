package import ManagerCore

/// What the bus said to one event.
package enum PublishOutcome: Sendable, Hashable {
    /// With the bus for good.
    case accepted
    /// Not now; the same event, under the same id, may be tried again.
    case unavailable(String)
    /// Its permit does not hold now, so nothing was published; see ``EventRun/mayPublish``.
    case fenced
    /// Never: the event itself is the fault (too large for the broker).
    case refused(String)
}

/// What the bus said to a batch.
package enum PublishAnswer: Sendable, Hashable {
    /// All of it is with the bus for good.
    case accepted
    /// An outcome for each event, in the order of the batch.
    case outcomes([PublishOutcome])
}

extension PublishAnswer {
    /// Nothing was published.
    package static func fenced(messages: Int) -> PublishAnswer {
        .outcomes(Array(repeating: .fenced, count: messages))
    }
}

/// Where messages go, and where they can be listened to.
///
/// Implementations: ``LocalBus``, topics inside the process. One conformance suite, passed by all.
package protocol Bus: Sendable {
    /// Publishes in order. A caller that needs order has one call in flight at a time.
    ///
    /// Whether a run may go out is asked as the last thing before it does, on every try.
    func publish(_ runs: [EventRun]) async -> PublishAnswer
    /// The same without waiting: a bus that can answer at once spares its caller a task.
    ///
    /// - Returns: `nil`, and nothing was published, where it takes time; publish with `await` then.
    func publishAtOnce(_ runs: [EventRun]) -> PublishAnswer?
    /// Listens to a topic. The reader that is slower than the ring learns how much it missed.
    func subscribe(topic: String, from start: TopicStart) -> any TopicReader
    /// Of the newest message that a reader of the topic can be handed; 0 is none.
    func newestPosition(of topic: String) -> UInt64
}

extension Bus {
    /// Of a bus that does not count: nobody waits for its messages.
    package func newestPosition(of topic: String) -> UInt64 { 0 }
}

extension Bus {
    package func publishAtOnce(_ runs: [EventRun]) -> PublishAnswer? { nil }

    /// Publishes events that stand alone. An outcome for each, in the same order.
    package func publish(_ events: [OutboundEvent]) async -> [PublishOutcome] {
        guard !events.isEmpty else { return [] }
        switch await publish(events.map { EventRun($0) }) {
        case .accepted: return Array(repeating: .accepted, count: events.count)
        case .outcomes(let outcomes): return outcomes
        }
    }
}

/// A reader of one topic. Not shared: one task calls ``next(maxCount:)``.
package protocol TopicReader: Sendable {
    /// Waits for messages; `nil` when the bus has ended or the task is cancelled.
    func next(maxCount: Int) async -> TopicDelivery?
    /// The same without waiting: `nil` also when the bus holds no more.
    func nextHeld(maxCount: Int) -> TopicDelivery?
}
