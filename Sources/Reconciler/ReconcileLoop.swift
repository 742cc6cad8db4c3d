package import Logging
package import ManagerCore
import Spec
import Synchronization

/// Numbers of the loop, each with its reason.
package struct ReconcilerConfiguration: Sendable, Hashable {
    /// Everything is compared again this often, with ±20 % jitter so that instances drift apart:
    /// events are an optimisation, the level is the truth.
    package var resyncInterval: Duration = .seconds(30)
    /// Keys that wait for the store at one time. A step waits for one commit, so a few cover the
    /// store's latency; with all of them waiting no other key is looked at.
    package var concurrency = 16
    /// After a step that failed, per key: from soon to half a minute.
    package var retryBase: Duration = .milliseconds(200)
    package var retryCap: Duration = .seconds(30)
    package var dialRate: Double = 200
    package var dialBurst = 200
    package var dialConcurrency = 256

    package init() {}
}

/// The loop that makes what is there as it should be; nobody else dials or closes.
///
/// Level-triggered: a key says nothing about what happened, and every pass compares again. One key
/// is worked on once at a time. A resync compares all of them at one time, and makes passes
/// only where there is something to do.
package final class ReconcileLoop: Sendable {
    let desired: any DesiredState
    let control: any ConnectionControl
    private let timer: any ReconcileTimer
    let configuration: ReconcilerConfiguration
    let now: @Sendable () -> Moment
    let logger: Logger
    private let wakes: AsyncStream<Void>
    let wake: AsyncStream<Void>.Continuation
    let state: Mutex<State>

    struct State {
        var queue: WorkQueue<String>
        var admission: DialAdmission
        /// Keys that wait for the store.
        var calls = 0
        var resyncAt: Moment?
        var generator = SystemRandomNumberGenerator()
        var isPaused = false
        var passes: UInt64 = 0
        var statistics = ReconcileStatistics()
        /// Those who wait for a pass that begins after they asked, and those whose pass runs.
        var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]
        var served: [String: [CheckedContinuation<Void, Never>]] = [:]

        /// Queues what a resync has found to do. Whoever has to do with the admission of dials gets
        /// a pass in any case: it gives back the permit of a dial that is over.
        mutating func take(_ compared: Comparison, now: Moment) {
            for name in compared.due { queue.add(name, now: now) }
            for name in admission.names { queue.add(name, now: now) }
            for (name, until) in compared.waiting { queue.add(name, at: until, now: now) }
            passes += UInt64(compared.settledCount)
            statistics.compared(settled: compared.settledCount)
        }
    }

    package init(
        desired: any DesiredState, control: any ConnectionControl, timer: any ReconcileTimer,
        configuration: ReconcilerConfiguration, logger: Logger,
        now: @escaping @Sendable () -> Moment
    ) {
        self.desired = desired
        self.control = control
        self.timer = timer
        self.configuration = configuration
        self.logger = logger
        self.now = now
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        state = Mutex(
            State(
                queue: WorkQueue(
                    retryBase: configuration.retryBase, retryCap: configuration.retryCap),
                admission: DialAdmission(
                    budget: DialBudget(
                        rate: configuration.dialRate, burst: configuration.dialBurst,
                        concurrency: configuration.dialConcurrency))))
    }

    /// Something about this connection changed: look at it. Any thread.
    package func connectionChanged(_ name: String) {
        connectionsChanged([name])
    }

    package func connectionsChanged(_ names: some Sequence<String>) {
        let now = now()
        state.withLock { state in
            for name in names { state.queue.add(name, now: now) }
        }
        wake.yield()
    }

    /// Returns when a pass over this key that began after the call has ended: what was decided on
    /// older records is done by then, and nothing more comes of them.
    package func reconciled(_ name: String) async {
        await withCheckedContinuation { continuation in
            let isPaused = state.withLock { state in
                if !state.isPaused { state.waiting[name, default: []].append(continuation) }
                return state.isPaused
            }
            if isPaused { continuation.resume() } else { connectionChanged(name) }
        }
    }

    /// So many instances share the budget of dials, this one among them. Any thread.
    package func setMembers(_ count: Int) {
        state.withLock { $0.admission.setMembers(count) }
        wake.yield()
    }

    /// Stops beginning anything; what runs goes on. For the end of the process.
    package func pause() {
        let waiting = state.withLock { state in
            state.isPaused = true
            defer { state.waiting = [:] }
            return state.waiting.values.flatMap { $0 }
        }
        for continuation in waiting { continuation.resume() }
    }

    /// What was done since the start, and what is under way.
    package var statistics: ReconcileStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.queued = state.queue.queuedCount
            statistics.processing = state.queue.processingCount
            statistics.adds = state.queue.adds
            return statistics
        }
    }

    /// Passes made since the start, and comparisons of a resync that took the place of one.
    package var passes: UInt64 { state.withLock { $0.passes } }

    /// Runs until cancelled.
    ///
    /// Passes are made here, one after the other: each is microseconds under locks that a second
    /// thread would only wait for. One that needs the store goes on beside them.
    package func run() async {
        await withDiscardingTaskGroup { group in
            wake.yield()
            var places = RecordPlaces()
            for await _ in wakes {
                let nextGrant = beginTurn(&places)
                if makePasses(&group) { wake.yield() }
                setAlarm(nextGrant)
            }
        }
    }

    /// Adds what is due.
    ///
    /// - Returns: when to ask again for the dials that wait.
    private func beginTurn(_ places: inout RecordPlaces) -> Moment? {
        let now = now()
        let compared =
            isResyncDue(now) ? Comparison(desired, control, now: now, places: &places) : nil
        return state.withLock { state in
            state.statistics.lastTurn = now
            if state.isPaused { return nil }
            if let compared { state.take(compared, now: now) }
            let admitted = state.admission.admit(now: now)
            for name in admitted.granted { state.queue.add(name, now: now) }
            return admitted.next
        }
    }

    private func setAlarm(_ nextGrant: Moment?) {
        let now = now()
        let next = state.withLock { state in
            // What is due already waits for a call of the store to end, which wakes the loop.
            state.isPaused
                ? nil
                : [state.queue.nextDeadline, nextGrant, state.resyncAt]
                    .compactMap { $0 }.filter { $0 > now }.min()
        }
        if let next { timer.wake(at: next) { [wake] in wake.yield() } }
    }

    private func isResyncDue(_ now: Moment) -> Bool {
        state.withLock { state in
            if let at = state.resyncAt, at > now { return false }
            let jitter = Double.random(in: 0.8...1.2, using: &state.generator)
            state.resyncAt = now.advanced(by: configuration.resyncInterval * jitter)
            return true
        }
    }
}
