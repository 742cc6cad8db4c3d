package import Dapr
import DequeModule
package import ManagerCore
import Spec
import Synchronization

/// A broker behind a Dapr sidecar, behind the port.
///
/// What the broker has acknowledged goes into topics in the process as well, so a subscriber of
/// this instance sees nothing that a consumer of the broker may not see.
///
/// | `publish` of the connection | what a call does |
/// |---|---|
/// | `order: strict` | one event after the other; the first that is not taken ends the row |
/// | `batch: array` | the same, each event an array of messages (``CloudEventBatch``) |
/// | `order: none` | up to a hundred events in one bulk call, some calls at once |
///
/// Every event is a whole CloudEvent (`application/cloudevents+json`), since attributes of our own
/// and the time of the message can go out in no other way; the sidecar adds topic and component.
/// Its metadata has the connection as `partitionKey`, so that brokers with partitions keep the
/// order. A message is sent again under its own id, also where it is not known whether it arrived.
/// Right before each call the permit of its messages is asked: a call that waited for its turn must not
/// go out when the instance has lost the connection meanwhile.
package final class DaprBus: Bus {
    /// Of one call, the longest that the ownership protocol reckons with (P of `ownership.md`).
    package static let callTimeout: Duration = .seconds(2)
    /// A row of events begins none later than this after its first, so that all of it stays below
    /// ``callTimeout`` where the broker is slow.
    static let rowTime: Duration = .milliseconds(250)
    /// Publish calls under way at one time. A sidecar serves some thousands a second: more at once
    /// would wait there, where their deadline runs.
    static let callsAtOnce = 256
    /// Events of one bulk call; daprd publishes no more than so many at one time.
    static let bulkEvents = 100
    /// Bulk calls of one connection at one time.
    static let bulkCalls = 4

    let client: DaprClient
    let pubsub: String
    private let topics: LocalBus
    private let slots = CallSlots(limit: DaprBus.callsAtOnce)

    package init(client: DaprClient, pubsub: String, topics: LocalBus = LocalBus()) {
        self.client = client
        self.pubsub = pubsub
        self.topics = topics
    }

    package var isRemote: Bool { true }

    package func subscribe(topic: String, from start: TopicStart) -> any TopicReader {
        topics.subscribe(topic: topic, from: start)
    }

    package func newestPosition(of topic: String) -> UInt64 {
        topics.newestPosition(of: topic)
    }

    package func close() {
        topics.close()
    }

    /// Rows of different connections go out side by side, each in its order.
    package func publish(_ runs: [EventRun]) async -> PublishAnswer {
        let rows = Self.rows(runs)
        let answers = await concurrently(rows, limit: Self.bulkCalls) { row in
            await self.publish(row)
        }
        var outcomes = Array(repeating: PublishOutcome.notTried, count: runs.messageCount)
        for (row, answer) in zip(rows, answers) {
            for (place, outcome) in zip(row.places, answer) { outcomes[place] = outcome }
        }
        return outcomes.allSatisfy { $0 == .accepted } ? .accepted : .outcomes(outcomes)
    }

    /// Events of one origin, with their places in the call.
    struct Row: Sendable {
        var runs: [EventRun] = []
        var places: [Int] = []

        var delivery: EventDelivery { runs.first?.delivery ?? EventDelivery() }
        /// The connection, or what else the events are about.
        var partition: String { runs.first?.source ?? "" }
        /// Of each event.
        var metadata: [String: String] { ["partitionKey": partition] }
    }

    static func rows(_ runs: [EventRun]) -> [Row] {
        var rows: [Row] = []
        var known: [RowKey: Int] = [:]
        var place = 0
        for run in runs {
            let key = RowKey(uid: run.uid, delivery: run.delivery)
            let index = known[key] ?? rows.count
            if index == rows.count {
                known[key] = index
                rows.append(Row())
            }
            rows[index].runs.append(run)
            rows[index].places += place..<place + run.count
            place += run.count
        }
        return rows
    }

    private struct RowKey: Hashable {
        var uid: ConnectionUID
        var delivery: EventDelivery
    }

    private func publish(_ row: Row) async -> [PublishOutcome] {
        if row.delivery.order == .none { return await publishUnordered(row) }
        return await slots.with {
            // An array takes its time to write, and is one call for many messages.
            guard row.delivery.batch != .array else { return await self.publishInOrder(row) }
            return await self.client.besideItsCalls { await self.publishInOrder(row) }
        }
    }

    // MARK: In order

    private func publishInOrder(_ row: Row) async -> [PublishOutcome] {
        let begin = ContinuousClock.now
        let metadata = row.metadata
        var outcomes: [PublishOutcome] = []
        var packer = EventPacker(row.runs, maxBytes: maxEventBytes)
        while let packed = packer.next() {
            let elapsed = begin.duration(to: .now)
            guard elapsed < Self.rowTime else { break }
            let outcome = await publish(
                packed, metadata: metadata, within: Self.callTimeout - elapsed)
            outcomes += Array(repeating: outcome, count: packed.runs.messageCount)
            switch outcome {
            case .accepted: topics.show(packed.runs)
            case .refused: continue
            // What follows would overtake it.
            case .unavailable, .notTried, .fenced: return outcomes
            }
        }
        return outcomes
    }

    private func publish(
        _ packed: EventPacker.Packed, metadata: [String: String], within timeout: Duration
    ) async -> PublishOutcome {
        guard let bytes = packed.bytes else { return .refused("the message is not JSON") }
        guard bytes.count <= maxEventBytes else { return tooLarge(bytes.count) }
        guard packed.runs.allSatisfy(\.mayPublish) else { return .fenced }
        do {
            try await client.publish(
                bytes, contentType: EventPacker.contentType, to: packed.topic, of: pubsub,
                metadata: metadata, within: timeout)
            return .accepted
        } catch {
            return outcome(error, bytes: bytes.count)
        }
    }

    // MARK: In no order

    private func publishUnordered(_ row: Row) async -> [PublishOutcome] {
        var packer = EventPacker(row.runs, maxBytes: maxEventBytes)
        var calls: [[EventPacker.Packed]] = []
        var bytes = 0
        while let packed = packer.next() {
            let size = (packed.bytes?.count ?? 0) + DaprLimits.bulkEntryOverhead
            if let last = calls.last, last.count < Self.bulkEvents, bytes + size <= maxEventBytes,
                last[0].topic == packed.topic, last[0].bytes != nil, packed.bytes != nil
            {
                calls[calls.count - 1].append(packed)
                bytes += size
            } else {
                calls.append([packed])
                bytes = size
            }
        }
        let metadata = row.metadata
        let answers = await concurrently(calls, limit: Self.bulkCalls) { call in
            await self.slots.with { await self.publishBulk(call, metadata: metadata) }
        }
        return answers.flatMap { $0 }
    }

    /// - Returns: an outcome for each. Most failures are told for the whole call: then all of it
    ///   goes out again, under the same ids.
    private func publishBulk(
        _ call: [EventPacker.Packed], metadata: [String: String]
    ) async -> [PublishOutcome] {
        guard call.count > 1 else {
            let outcome = await publish(call[0], metadata: metadata, within: Self.callTimeout)
            if outcome == .accepted { topics.show(call[0].runs) }
            return [outcome]
        }
        guard call.allSatisfy({ $0.runs.allSatisfy(\.mayPublish) }) else {
            return call.map { _ in .fenced }
        }
        var outcomes: [PublishOutcome]
        do {
            let failed = try await client.publish(
                call.enumerated().map { index, packed in
                    DaprBulkEntry(
                        id: String(index), data: packed.bytes ?? [],
                        contentType: EventPacker.contentType,
                        metadata: metadata)
                }, to: call[0].topic, of: pubsub, within: Self.callTimeout)
            outcomes = call.indices.map { index in
                failed[String(index)].map { .unavailable("the broker refused it: \($0)") }
                    ?? .accepted
            }
        } catch let error as DaprError where error.kind == .unsupported {
            // No bulk publishing at all: the same, one by one.
            outcomes = await concurrently(call, limit: Self.bulkCalls) { packed in
                await self.publish(packed, metadata: metadata, within: Self.callTimeout)
            }
        } catch {
            outcomes = call.map { outcome(error, bytes: $0.bytes?.count ?? 0) }
        }
        let accepted = zip(call, outcomes).filter { $0.1 == .accepted }.flatMap(\.0.runs)
        topics.show(accepted)
        return outcomes
    }

    // MARK: Answers

    /// What one event may have, with room for the fields around it.
    private var maxEventBytes: Int {
        client.configuration.maxRequestBytes - DaprLimits.requestOverhead
    }

    private func tooLarge(_ bytes: Int) -> PublishOutcome {
        .refused(
            "an event of \(bytes) bytes is more than the Dapr sidecar takes (daprd --max-body-size; "
                + "--dapr-max-body-size says how much that is)")
    }

    private func outcome(_ error: any Error, bytes: Int) -> PublishOutcome {
        guard let fault = error as? DaprError else { return .unavailable("\(error)") }
        switch fault.kind {
        case .tooLarge: return tooLarge(bytes)
        case .refused: return .refused(fault.message)
        default: return .unavailable(fault.message)
        }
    }
}

/// Bounds how many calls are under way; the others wait in the order they came.
final class CallSlots: Sendable {
    private let state: Mutex<(free: Int, waiting: Deque<CheckedContinuation<Void, Never>>)>

    init(limit: Int) {
        precondition(limit > 0, "a limit that lets nothing through")
        state = Mutex((limit, []))
    }

    func with<Result: Sendable>(_ body: () async -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free == 0 else {
                    state.free -= 1
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
        let result = await body()
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
        return result
    }
}
