package import ManagerCore

/// What the bus said to one event.
package enum PublishOutcome: Sendable, Hashable {
    /// With the bus for good.
    case accepted
    /// Not now; the same event, under the same id, may be tried again.
    case unavailable(String)
    /// Nothing is wrong, but its turn has not come within this call: hand it in again.
    case notTried
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
/// Implementations: ``LocalBus``, topics inside the process; ``DaprBus``, a broker behind a Dapr
/// sidecar. One conformance suite, passed by all.
package protocol Bus: Sendable {
    /// A broker is asked for every message, so a call takes time and its size matters.
    var isRemote: Bool { get }
    /// Publishes in order. A caller that needs order has one call in flight at a time.
    ///
    /// Whether a run may go out is asked as the last thing before it does, on every try.
    func publish(_ runs: [EventRun]) async -> PublishAnswer
    /// The same without waiting: a bus that can answer at once spares its caller a task.
    ///
    /// - Returns: `nil`, and nothing was published, where it takes time; publish with `await` then.
    func publishAtOnce(_ runs: [EventRun]) -> PublishAnswer?
    /// Publishes what one read brought, without waiting, all of it or nothing.
    ///
    /// - Returns: whether it is with the bus for good; if not, nothing was published.
    func publishWhole(_ run: EventRun) -> Bool
    /// Ends every reader.
    func close()
    /// Listens to a topic. The reader that is slower than the ring learns how much it missed.
    func subscribe(topic: String, from start: TopicStart) -> any TopicReader
    /// Of the newest message that a reader of the topic can be handed; 0 is none.
    func newestPosition(of topic: String) -> UInt64
    /// Whether the topic has a reader, as far as the bus can tell.
    func isFollowed(_ topic: String) -> Bool
}

extension Bus {
    package var isRemote: Bool { false }

    package func publishAtOnce(_ runs: [EventRun]) -> PublishAnswer? { nil }

    package func publishWhole(_ run: EventRun) -> Bool { false }

    /// Publishes events that stand alone. An outcome for each, in the same order; each was tried.
    package func publish(_ events: [OutboundEvent]) async -> [PublishOutcome] {
        var outcomes = Array(repeating: PublishOutcome.notTried, count: events.count)
        while true {
            let left = events.indices.filter { outcomes[$0] == .notTried }
            guard !left.isEmpty else { return outcomes }
            switch await publish(left.map { EventRun(events[$0]) }) {
            case .accepted:
                for index in left { outcomes[index] = .accepted }
            case .outcomes(let answers):
                for (index, answer) in zip(left, answers) { outcomes[index] = answer }
            }
        }
    }

    package func isFollowed(_ topic: String) -> Bool { true }

    package func close() {}
}

/// A reader of one topic. Not shared: one task calls ``next(maxCount:)``.
package protocol TopicReader: Sendable {
    /// Waits for messages; `nil` when the bus has ended or the task is cancelled.
    func next(maxCount: Int) async -> TopicDelivery?
    /// The same without waiting: `nil` also when the bus holds no more.
    func nextHeld(maxCount: Int) -> TopicDelivery?
}
