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
    /// Topics at one time. A ring keeps up to 16 MiB, 64 for a reader that is slow; topics come from
    /// manifests, so this bounds a mistake (a topic for each message), not a use.
    package static let maxTopics = 100_000

    private let topics = Mutex<[String: Topic]>([:])
    private let retention: TopicRetention

    /// - Parameter retention: of each topic.
    package init(retention: TopicRetention = TopicRetention()) {
        self.retention = retention
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
        let topic = topic(name) ?? Topic(retention: retention)
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
            let topic = Topic(retention: retention)
            topics[name] = topic
            return topic
        }
    }
}

/// One topic: its ring, and the readers that wait for its next message.
private final class Topic: Sendable {
    private struct State {
        var ring: TopicRing<EventRun>
        var readers = ReaderPositions()
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

        /// To be called whenever a reader has come, has moved or has left.
        ///
        /// - Returns: whether the ring has more to forget.
        @discardableResult
        mutating func keepUnread() -> Bool { ring.keepUnread(from: readers.first()) }

        mutating func read(_ reader: ReaderPositions.ID, maxCount: Int, maxBytes: Int)
            -> TopicDelivery?
        {
            var missed: UInt64 = 0
            while true {
                let from = readers[reader]
                switch ring.read(from: from, maxCount: maxCount, maxBytes: maxBytes) {
                case .gap(let count, let next):
                    missed += count
                    readers.move(reader, to: next)
                case .messages(let runs, let next):
                    guard !runs.isEmpty || missed > 0 else { return nil }
                    readers.move(reader, to: next)
                    keepUnread()
                    return TopicDelivery(firstPosition: from, runs: runs, missed: missed)
                }
            }
        }
    }

    private let state: Mutex<State>
    private let readers = Atomic(0)

    init(retention: TopicRetention) {
        state = Mutex(State(ring: TopicRing(retention)))
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

    var newestPosition: UInt64 { state.withLock { $0.ring.newestPosition } }

    var isFollowed: Bool { readers.load(ordering: .relaxed) > 0 }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func addReader(from start: TopicStart) -> ReaderPositions.ID {
        readers.add(1, ordering: .relaxed)
        return state.withLock { state in
            // A reader of everything is told what the ring has forgotten already; one that comes from
            // another life of the process reads what there is.
            var position = start == .oldest ? 1 : state.ring.position(for: start)
            if position > state.ring.newestPosition + 1 { position = state.ring.oldestPosition }
            let reader = state.readers.add(at: position)
            state.keepUnread()
            return reader
        }
    }

    func removeReader(_ reader: ReaderPositions.ID) {
        readers.subtract(1, ordering: .relaxed)
        var isMore = state.withLock { state in
            state.readers.remove(reader)
            return state.keepUnread()
        }
        while isMore { isMore = state.withLock { $0.ring.trim() } }
    }

    func read(_ reader: ReaderPositions.ID, maxCount: Int, maxBytes: Int) -> TopicDelivery? {
        state.withLock { $0.read(reader, maxCount: maxCount, maxBytes: maxBytes) }
    }

    /// Returns when there may be a message for this reader, or never will be one.
    func wait(_ reader: ReaderPositions.ID) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    let hasMessage = state.ring.newestPosition >= state.readers[reader]
                    if state.isClosed || Task.isCancelled || hasMessage { return true }
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
    private let id: ReaderPositions.ID

    init(topic: Topic, start: TopicStart) {
        self.topic = topic
        id = topic.addReader(from: start)
    }

    deinit { topic.removeReader(id) }

    func next(maxCount: Int) async -> TopicDelivery? {
        while !Task.isCancelled {
            if let delivery = nextHeld(maxCount: maxCount) { return delivery }
            if topic.isClosed { return nil }
            await topic.wait(id)
        }
        return nil
    }

    func nextHeld(maxCount: Int) -> TopicDelivery? {
        guard var delivery = topic.read(id, maxCount: maxCount, maxBytes: Self.maxBytes)
        else { return nil }
        delivery.runs = delivery.runs.map(\.written)
        return delivery
    }
}
