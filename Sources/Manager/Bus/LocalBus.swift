package import ManagerCore
import Synchronization

/// Where a subscriber begins.
package typealias TopicStart = TopicRing<OutboundEvent>.Start

/// What a reader is handed: messages in order, and how many it missed before the first of them.
package struct TopicDelivery: Sendable {
    /// Of `events.first`, counted from 1 in each topic and process.
    package var firstPosition: UInt64
    package var events: [OutboundEvent]
    package var missed: UInt64
}

/// Topics inside the process: a replay ring for each, read by any number of subscribers.
///
/// Publishing appends to the ring and wakes the readers that wait; no reader is waited for. A topic
/// nobody has ever published to or subscribed to costs nothing.
package final class LocalBus: Bus {
    /// Topics at one time. A ring keeps up to 16 MiB; topics come from manifests, so this bounds
    /// a mistake (a topic for each message), not a use.
    package static let maxTopics = 100_000

    private let topics = Mutex<[String: Topic]>([:])
    private let ringMessages: Int
    private let ringBytes: Int

    package init(
        ringMessages: Int = TopicRing<OutboundEvent>.defaultMessages,
        ringBytes: Int = TopicRing<OutboundEvent>.defaultBytes
    ) {
        self.ringMessages = ringMessages
        self.ringBytes = ringBytes
    }

    package func publish(_ events: [OutboundEvent]) async -> [PublishOutcome] {
        var outcomes: [PublishOutcome] = []
        outcomes.reserveCapacity(events.count)
        var index = 0
        while index < events.count {
            // A batch is of one connection, so of one topic, but for an edit in between.
            let name = events[index].topic
            var end = index + 1
            while end < events.count, events[end].topic == name { end += 1 }
            let outcome: PublishOutcome
            if let topic = topic(name) {
                topic.append(events[index..<end])
                outcome = .accepted
            } else {
                outcome = .refused("there are \(Self.maxTopics) topics already")
            }
            for _ in index..<end { outcomes.append(outcome) }
            index = end
        }
        return outcomes
    }

    package func subscribe(topic name: String, from start: TopicStart) -> any TopicReader {
        let topic = topic(name) ?? Topic(maxMessages: 1, maxBytes: 1)
        return LocalTopicReader(topic: topic, start: start)
    }

    package func newestPosition(of name: String) -> UInt64 {
        topics.withLock { $0[name] }?.newestPosition ?? 0
    }

    /// Ends every reader, so that subscribers see the end of the process.
    package func close() {
        let all = topics.withLock { Array($0.values) }
        for topic in all { topic.close() }
    }

    private func topic(_ name: String) -> Topic? {
        topics.withLock { topics in
            if let topic = topics[name] { return topic }
            guard topics.count < Self.maxTopics else { return nil }
            let topic = Topic(maxMessages: ringMessages, maxBytes: ringBytes)
            topics[name] = topic
            return topic
        }
    }
}

/// One topic: its ring, and the readers that wait for its next message.
private final class Topic: Sendable {
    private struct State {
        var ring: TopicRing<OutboundEvent>
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
        var isClosed = false
    }

    private let state: Mutex<State>

    init(maxMessages: Int, maxBytes: Int) {
        state = Mutex(State(ring: TopicRing(maxMessages: maxMessages, maxBytes: maxBytes)))
    }

    func append(_ events: ArraySlice<OutboundEvent>) {
        let woken = state.withLock { state in
            for event in events { state.ring.append(event, bytes: event.bufferedBytes) }
            guard !state.waiting.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in woken { waiter.resume() }
    }

    func close() {
        let woken = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in woken { waiter.resume() }
    }

    func position(for start: TopicStart) -> UInt64 {
        state.withLock { $0.ring.position(for: start) }
    }

    var newestPosition: UInt64 { state.withLock { $0.ring.newestPosition } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func read(from position: UInt64, maxCount: Int, maxBytes: Int)
        -> TopicRing<OutboundEvent>.Read
    {
        state.withLock {
            $0.ring.read(from: position, maxCount: maxCount, maxBytes: maxBytes)
        }
    }

    /// Returns when there may be a message at this position, or never will be one.
    func wait(for position: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isClosed || Task.isCancelled || state.ring.newestPosition >= position {
                        return true
                    }
                    state.waiting[id] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }
}

private final class LocalTopicReader: TopicReader {
    /// Of one delivery: below gRPC's 4 MiB with room for the fields around the payloads.
    static let maxBytes = 1 << 20

    private let topic: Topic
    private let position: Mutex<UInt64>

    init(topic: Topic, start: TopicStart) {
        self.topic = topic
        // A reader of everything is told what the ring has forgotten already.
        position = Mutex(start == .oldest ? 1 : topic.position(for: start))
    }

    func next(maxCount: Int) async -> TopicDelivery? {
        while !Task.isCancelled {
            if let delivery = nextHeld(maxCount: maxCount) { return delivery }
            if topic.isClosed { return nil }
            await topic.wait(for: position.withLock { $0 })
        }
        return nil
    }

    func nextHeld(maxCount: Int) -> TopicDelivery? {
        var missed: UInt64 = 0
        while true {
            let from = position.withLock { $0 }
            switch topic.read(from: from, maxCount: maxCount, maxBytes: Self.maxBytes) {
            case .gap(let count, let next):
                missed += count
                position.withLock { $0 = next }
            case .messages(let events, let next):
                guard !events.isEmpty || missed > 0 else { return nil }
                position.withLock { $0 = next }
                return TopicDelivery(firstPosition: from, events: events, missed: missed)
            }
        }
    }
}
