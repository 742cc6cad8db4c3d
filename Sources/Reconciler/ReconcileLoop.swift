package import Logging
package import ManagerCore
import Spec
import Synchronization

/// Numbers of the loop, each with its reason.
package struct ReconcilerConfiguration: Sendable, Hashable {
    /// Everything is compared again this often, with ±20 % jitter so that instances drift apart:
    /// events are an optimisation, the level is the truth.
    package var resyncInterval: Duration = .seconds(30)
    /// Keys worked on at one time. A step waits for a commit at most, so a few cover the store's
    /// latency.
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
/// is worked on by one task at a time. A resync compares all of them at one time, and makes passes
/// only where there is something to do.
package final class ReconcileLoop: Sendable {
    private let desired: any DesiredState
    private let control: any ConnectionControl
    private let timer: any ReconcileTimer
    private let configuration: ReconcilerConfiguration
    private let now: @Sendable () -> Moment
    private let logger: Logger
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let state: Mutex<State>

    private struct State {
        var queue: WorkQueue<String>
        var admission: DialAdmission
        var workers = 0
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
    package func run() async {
        await withDiscardingTaskGroup { group in
            wake.yield()
            var places = RecordPlaces()
            for await _ in wakes {
                let workers = startWorkers(&places)
                for _ in 0..<workers {
                    group.addTask { await self.work() }
                }
            }
        }
    }

    /// Adds what is due, and says how many more workers there is work for.
    private func startWorkers(_ places: inout RecordPlaces) -> Int {
        let now = now()
        let compared =
            isResyncDue(now) ? Comparison(desired, control, now: now, places: &places) : nil
        let (count, next) = state.withLock { state in
            state.statistics.lastTurn = now
            if state.isPaused { return (0, nil as Moment?) }
            if let compared { state.take(compared, now: now) }
            let admitted = state.admission.admit(now: now)
            for name in admitted.granted { state.queue.add(name, now: now) }
            let room = configuration.concurrency - state.workers
            let wanted =
                isWorkDue(state.queue, now: now) ? min(room, state.queue.queuedCount) : 0
            state.workers += wanted
            // What is due already is the workers', who wake the loop when they end: an alarm for it
            // would ring for as long as all of them are busy.
            let next = [state.queue.nextDeadline, admitted.next, state.resyncAt]
                .compactMap { $0 }.filter { $0 > now }.min()
            return (wanted, next)
        }
        if let next { timer.wake(at: next) { [wake] in wake.yield() } }
        return count
    }

    private func isWorkDue(_ queue: WorkQueue<String>, now: Moment) -> Bool {
        queue.hasReadyKey || queue.nextDeadline.map { $0 <= now } ?? false
    }

    private func isResyncDue(_ now: Moment) -> Bool {
        state.withLock { state in
            if let at = state.resyncAt, at > now { return false }
            let jitter = Double.random(in: 0.8...1.2, using: &state.generator)
            state.resyncAt = now.advanced(by: configuration.resyncInterval * jitter)
            return true
        }
    }

    /// Works until no key is ready.
    private func work() async {
        while let (name, begun) = takeNext() {
            let requeueAt = await reconcile(name)
            let now = now()
            let served = state.withLock { state in
                state.passes += 1
                state.statistics.finished(requeueAt.result, begun: begun, now: now)
                switch requeueAt {
                case .converged:
                    state.queue.done(name, now: now)
                case .at(let instant):
                    state.queue.done(name, now: now)
                    state.queue.add(name, at: instant, now: now)
                case .failed:
                    state.queue.failed(name, now: now, using: &state.generator)
                }
                return state.served.removeValue(forKey: name) ?? []
            }
            for continuation in served { continuation.resume() }
        }
        // Deadlines moved while this worked.
        wake.yield()
    }

    private func takeNext() -> (name: String, begun: Moment)? {
        let now = now()
        return state.withLock { state in
            guard !state.isPaused, !Task.isCancelled, let name = state.queue.next(now: now) else {
                state.workers -= 1
                return nil
            }
            state.served[name] = state.waiting.removeValue(forKey: name)
            state.statistics.lastProgress = now
            return (name, now)
        }
    }

    private enum Outcome {
        case converged
        case at(Moment)
        case failed

        var result: ReconcileStatistics.Result {
            switch self {
            case .converged: .done
            case .at: .requeued
            case .failed: .failed
            }
        }
    }

    /// One pass over one key. It decides by the facts; the record itself is fetched where something
    /// is done with it, and if it has changed meanwhile it is decided again.
    private func reconcile(_ name: String) async -> Outcome {
        let facts = desired.desiredFacts(name)
        let seen = control.observedFacts(name)
        let step = Plan.step(desired: facts, observed: seen, now: now())
        settlePermit(name, seen: seen, step: step)
        switch step {
        case .keep, .blocked:
            return .converged
        case .wait(let until):
            return .at(until)
        case .open:
            guard let wanted = record(name, facts) else { return await reconcile(name) }
            return await open(wanted)
        case .reopen(let cause):
            guard let wanted = record(name, facts) else { return await reconcile(name) }
            control.reopen(wanted, cause: cause)
        case .update:
            guard let wanted = record(name, facts) else { return await reconcile(name) }
            control.update(wanted)
        case .close:
            control.close(name)
        case .release:
            control.release(name)
        case .confirm:
            guard await desired.confirm(name) else { return .failed }
        case .discard:
            guard await desired.discard(name) else { return .failed }
        }
        log(step, name: name)
        return .converged
    }

    /// - Returns: `nil` if it is not the record of these facts any more.
    private func record(_ name: String, _ facts: DesiredFacts?) -> DesiredConnection? {
        guard let wanted = desired.desired(name), DesiredFacts(wanted) == facts else { return nil }
        return wanted
    }

    /// Gives a dial's permit back when the dial is over, or turned out not to be needed.
    private func settlePermit(_ name: String, seen: ObservedFacts?, step: PlanStep) {
        if case .dialing = seen?.link { return }
        if step == .open { return }
        let now = now()
        let hadOne = state.withLock { state in
            let had = state.admission.holdsPermit(name) || state.admission.isQueued(name)
            if had { state.admission.finished(name, now: now) }
            return had
        }
        if hadOne { wake.yield() }
    }

    private func open(_ wanted: DesiredConnection) async -> Outcome {
        let host = (try? Endpoint.parse(wanted.spec.url))?.hostPort ?? ""
        let now = now()
        let mayGo = state.withLock {
            $0.admission.request(wanted.name, host: host, now: now)
        }
        guard mayGo else {
            wake.yield()
            return .converged
        }
        var committed = wanted
        if !wanted.spec.autoReconnect, !wanted.isDialSpent {
            control.expectDial(wanted)
            guard let spent = await desired.spendDial(wanted.name) else {
                control.dialIsOff(wanted.name)
                state.withLock { $0.admission.finished(wanted.name, now: now) }
                return .failed
            }
            committed = spent
        }
        log(.open, name: wanted.name)
        control.open(committed)
        return .converged
    }

    private func log(_ step: PlanStep, name: String) {
        logger.debug(
            "reconcile step",
            metadata: ["wsm.connection.name": "\(name)", "step": "\(step)"])
    }
}
