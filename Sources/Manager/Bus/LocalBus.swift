package import ManagerCore
import Synchronization

/// What a reader is handed: messages in order, and how many it missed before the first of them.
package struct TopicDelivery: Sendable {
    /// Of the first event, counted from 1 in each topic and process.
    package var firstPosition: UInt64
    package var runs: [EventRun]
    package var missed: UInt64

    /// Each event with a copy of its payload.
    package var events: [OutboundEvent] { runs.events }
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
    /// Enough for a subscriber that is away for a moment, and little for a topic that nobody reads.
    package static let standardReplay = MessageAmount(
        messages: TopicRing<EventRun>.defaultMessages, bytes: TopicRing<EventRun>.defaultBytes)

    private let replay: MessageAmount

    /// - Parameter replay: what each topic keeps: the latest messages, up to so many and so many bytes.
    package init(replay: MessageAmount = LocalBus.standardReplay) {
        self.replay = replay
    }

    package func publish(_ runs: [EventRun]) async -> PublishAnswer {
        publishNow(runs)
    }

    package func publishAtOnce(_ runs: [EventRun]) -> PublishAnswer? {
        publishNow(runs)
    }

    package func publishWhole(_ run: EventRun) -> Bool {
        topic(run.topic)?.append(run) ?? false
    }

    /// Shows readers what a broker has taken: it is out, whatever became of its permit meanwhile.
    func show(_ runs: [EventRun]) {
        for run in runs { _ = topic(run.topic)?.append(run, asksPermit: false) }
    }

    private func publishNow(_ runs: [EventRun]) -> PublishAnswer {
        var refused: [(runs: Range<Int>, outcome: PublishOutcome)] = []
        var index = 0
        while index < runs.count {
            // A batch is of one connection, so of one topic, but for an edit in between.
            let name = runs[index].topic
            var end = index + 1
            while end < runs.count, runs[end].topic == name { end += 1 }
            if let topic = topic(name) {
                refused += topic.append(runs[index..<end]).map { ($0..<($0 + 1), .fenced) }
            } else {
                let reason = "there are \(Self.maxTopics) topics already"
                refused.append((index..<end, .refused(reason)))
            }
            index = end
        }
        return refused.isEmpty ? .accepted : .outcomes(Self.outcomes(runs, refused: refused))
    }

    private static func outcomes(
        _ runs: [EventRun], refused: [(runs: Range<Int>, outcome: PublishOutcome)]
    ) -> [PublishOutcome] {
        runs.enumerated().flatMap { index, run in
            let refusal = refused.first { $0.runs.contains(index) }
            return Array(repeating: refusal?.outcome ?? .accepted, count: run.count)
        }
    }

    package func subscribe(topic name: String, from start: TopicStart) -> any TopicReader {
        let topic = topic(name) ?? Topic(replay: MessageAmount(messages: 1, bytes: 1))
        return LocalTopicReader(topic: topic, start: start)
    }

    package func newestPosition(of name: String) -> UInt64 {
        topics.withLock { $0[name] }?.newestPosition ?? 0
    }

    package func isFollowed(_ name: String) -> Bool {
        topics.withLock { $0[name] }?.isFollowed ?? false
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
            let topic = Topic(replay: replay)
            topics[name] = topic
            return topic
        }
    }
}

/// One topic: its ring, and the readers that wait for its next message.
private final class Topic: Sendable {
    private struct State {
        var ring: TopicRing<EventRun>
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
        var isClosed = false

        /// To be resumed, for there is something new.
        mutating func takeWaiting() -> [CheckedContinuation<Void, Never>] {
            guard !waiting.isEmpty else { return [] }
            defer { waiting = [:] }
            return Array(waiting.values)
        }

        /// A permit is asked once for runs that stand together.
        mutating func append(_ runs: ArraySlice<EventRun>) -> [Int] {
            var fenced: [Int] = []
            var permit: (any PublishPermit)?
            var mayPublish = true
            for index in runs.indices {
                let run = runs[index]
                if permit !== run.permit {
                    permit = run.permit
                    mayPublish = run.mayPublish
                }
                if mayPublish { ring.append(run) } else { fenced.append(index) }
            }
            return fenced
        }
    }

    private let state: Mutex<State>
    private let readers = Atomic(0)

    init(replay: MessageAmount) {
        let ring = TopicRing<EventRun>(maxMessages: replay.messages, maxBytes: replay.bytes)
        state = Mutex(State(ring: ring))
    }

    /// - Returns: the places of runs that may not go out now.
    func append(_ runs: ArraySlice<EventRun>) -> [Int] {
        let (woken, fenced) = state.withLock { state in
            let fenced = state.append(runs)
            return (fenced.count < runs.count ? state.takeWaiting() : [], fenced)
        }
        for waiter in woken { waiter.resume() }
        return fenced
    }

    /// - Returns: whether it may go out now; else nothing has changed.
    func append(_ run: EventRun, asksPermit: Bool = true) -> Bool {
        let woken = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            guard !asksPermit || run.mayPublish else { return nil }
            state.ring.append(run)
            return state.takeWaiting()
        }
        guard let woken else { return false }
        for waiter in woken { waiter.resume() }
        return true
    }

    func close() {
        let woken = state.withLock { state in
            state.isClosed = true
            return state.takeWaiting()
        }
        for waiter in woken { waiter.resume() }
    }

    func position(for start: TopicStart) -> UInt64 {
        state.withLock { $0.ring.position(for: start) }
    }

    var newestPosition: UInt64 { state.withLock { $0.ring.newestPosition } }

    var isFollowed: Bool { readers.load(ordering: .relaxed) > 0 }

    func readerCame() { readers.add(1, ordering: .relaxed) }

    func readerLeft() { readers.subtract(1, ordering: .relaxed) }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func read(from position: UInt64, maxCount: Int, maxBytes: Int)
        -> TopicRing<EventRun>.Read
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
        topic.readerCame()
    }

    deinit { topic.readerLeft() }

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
            case .messages(let runs, let next):
                guard !runs.isEmpty || missed > 0 else { return nil }
                position.withLock { $0 = next }
                return TopicDelivery(
                    firstPosition: from, runs: runs.map(\.written), missed: missed)
            }
        }
    }
}
