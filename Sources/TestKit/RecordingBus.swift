package import Manager
package import ManagerCore
import Synchronization

/// A ``Bus`` that records what it is given and answers as the test says.
///
/// Strict: a second `publish` for one connection while one is in flight is counted as a violation,
/// since order would not survive it.
package final class RecordingBus: Bus {
    package enum Mode: Sendable, Hashable {
        case accepting
        /// Calls wait until the mode changes.
        case stalled
        /// The same, but they have asked for the right to publish before.
        case slow
        case unavailable
        /// Every event is refused for good.
        case refusing
    }

    private struct State {
        var mode = Mode.accepting
        var accepted: [OutboundEvent] = []
        var refuses: (@Sendable (OutboundEvent) -> Bool)?
        var inFlight: [String: Int] = [:]
        var violations: [String] = []
        var calls = 0
        var waiting: [CheckedContinuation<Void, Never>] = []

        var isHeldUp: Bool { mode == .stalled || mode == .slow }
    }

    private let state = Mutex(State())
    private let topics = LocalBus()

    package init() {}

    // MARK: The port

    package func publish(_ runs: [EventRun]) async -> PublishAnswer {
        let events = runs.events
        let source = events.first?.source ?? ""
        begin(source)
        defer { end(source) }
        let early = mode == .slow ? Self.permits(runs) : nil
        while await waitWhileStalled() {}
        let (outcomes, accepted) = state.withLock { state in
            Self.answer(events, early ?? Self.permits(runs), in: &state)
        }
        _ = await topics.publish(accepted)
        return .outcomes(outcomes)
    }

    package func subscribe(topic: String, from start: TopicStart) -> any TopicReader {
        topics.subscribe(topic: topic, from: start)
    }

    private static func permits(_ runs: [EventRun]) -> [Bool] {
        runs.flatMap { Array(repeating: $0.mayPublish, count: $0.count) }
    }

    package func newestPosition(of topic: String) -> UInt64 {
        topics.newestPosition(of: topic)
    }

    private func begin(_ source: String) {
        state.withLock { state in
            state.calls += 1
            state.inFlight[source, default: 0] += 1
            if state.inFlight[source, default: 0] > 1 {
                state.violations.append("two calls in flight for \(source)")
            }
        }
    }

    private func end(_ source: String) {
        state.withLock { $0.inFlight[source, default: 1] -= 1 }
    }

    /// - Returns: whether it had to wait, and so should look again.
    private func waitWhileStalled() async -> Bool {
        guard state.withLock({ $0.isHeldUp }) else { return false }
        await withCheckedContinuation { continuation in
            let isStalled = state.withLock { state in
                if state.isHeldUp { state.waiting.append(continuation) }
                return state.isHeldUp
            }
            if !isStalled { continuation.resume() }
        }
        return true
    }

    private static func answer(
        _ events: [OutboundEvent], _ mayPublish: [Bool], in state: inout State
    ) -> ([PublishOutcome], [OutboundEvent]) {
        var accepted: [OutboundEvent] = []
        var isBroken = false
        let outcomes = zip(events, mayPublish).map { event, mayPublish -> PublishOutcome in
            if !mayPublish { return .fenced }
            if isBroken || state.mode == .unavailable {
                isBroken = true
                return .unavailable("the bus is down")
            }
            if state.mode == .refusing || state.refuses?(event) ?? false {
                return .refused("not this one")
            }
            accepted.append(event)
            return .accepted
        }
        state.accepted += accepted
        return (outcomes, accepted)
    }

    // MARK: Control and facts

    package var mode: Mode {
        get { state.withLock { $0.mode } }
        set {
            let waiting = state.withLock { state in
                state.mode = newValue
                guard !state.isHeldUp else { return [CheckedContinuation<Void, Never>]() }
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    /// Refuses for good what the test picks.
    package func refuse(_ test: (@Sendable (OutboundEvent) -> Bool)?) {
        state.withLock { $0.refuses = test }
    }

    /// In the order they were taken.
    package var accepted: [OutboundEvent] { state.withLock { $0.accepted } }
    package var violations: [String] { state.withLock { $0.violations } }
    package var waitingCalls: Int { state.withLock { $0.waiting.count } }
    package var calls: Int { state.withLock { $0.calls } }

    package func accepted(on topic: String) -> [OutboundEvent] {
        accepted.filter { $0.topic == topic }
    }

    /// The payloads of a topic as text.
    package func texts(on topic: String) -> [String] {
        accepted(on: topic).map { String(decoding: $0.payload, as: UTF8.self) }
    }

    /// Lifecycle events of one connection, by the last word of their type.
    package func lifecycle(of name: String) -> [String] {
        accepted(on: LifecycleEvent.topic)
            .filter { $0.subject == "connection/\(name)" }
            .map { String($0.type.split(separator: ".").last ?? "") }
    }
}
