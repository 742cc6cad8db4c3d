import Logging
import ManagerCore
import Spec
import Synchronization

extension ReconcileLoop {
    /// Passes in a row, some hundred microseconds of work: then dials are admitted anew.
    private static let passesInATurn = 32

    /// Makes the passes of one turn.
    ///
    /// - Returns: whether more keys may be ready.
    func makePasses(_ group: inout DiscardingTaskGroup) -> Bool {
        for _ in 0..<Self.passesInATurn {
            guard let (name, begun) = takeNext() else { return false }
            switch reconcile(name) {
            case .ended(let outcome):
                end(name, outcome, begun: begun)
            case .waits(let call):
                state.withLock { $0.calls += 1 }
                group.addTask {
                    let outcome = await call()
                    self.state.withLock { $0.calls -= 1 }
                    self.end(name, outcome, begun: begun)
                    // There is room for another, and a deadline may have moved.
                    self.wake.yield()
                }
            }
        }
        return true
    }

    private func end(_ name: String, _ outcome: Outcome, begun: Moment) {
        let now = now()
        let served = state.withLock { state in
            state.passes += 1
            state.statistics.finished(outcome.result, begun: begun, now: now)
            switch outcome {
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

    private func takeNext() -> (name: String, begun: Moment)? {
        let now = now()
        return state.withLock { state in
            guard !state.isPaused, !Task.isCancelled, state.calls < configuration.concurrency,
                let name = state.queue.next(now: now)
            else { return nil }
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

    /// How far a pass has come.
    private enum Pass {
        case ended(Outcome)
        /// The rest of it waits for the store.
        case waits(@Sendable () async -> Outcome)
    }

    /// One pass over one key. It decides by the facts; the record itself is fetched where something
    /// is done with it, and if it has changed meanwhile it is decided again.
    private func reconcile(_ name: String) -> Pass {
        let facts = desired.desiredFacts(name)
        let seen = control.observedFacts(name)
        let step = Plan.step(desired: facts, observed: seen, now: now())
        settlePermit(name, seen: seen, step: step)
        switch step {
        case .keep, .blocked:
            return .ended(.converged)
        case .wait(let until):
            return .ended(.at(until))
        case .open:
            guard let wanted = record(name, facts) else { return reconcile(name) }
            return open(wanted)
        case .reopen(let cause):
            guard let wanted = record(name, facts) else { return reconcile(name) }
            control.reopen(wanted, cause: cause)
        case .update:
            guard let wanted = record(name, facts) else { return reconcile(name) }
            control.update(wanted)
        case .close:
            control.close(name)
        case .release:
            control.release(name)
        case .confirm:
            return .waits { await self.stored(self.desired.confirm(name), step, name) }
        case .discard:
            return .waits { await self.stored(self.desired.discard(name), step, name) }
        }
        log(step, name: name)
        return .ended(.converged)
    }

    private func stored(_ isDone: Bool, _ step: PlanStep, _ name: String) -> Outcome {
        guard isDone else { return .failed }
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

    private func open(_ wanted: DesiredConnection) -> Pass {
        let host = (try? Endpoint.parse(wanted.spec.url))?.hostPort ?? ""
        let now = now()
        let mayGo = state.withLock {
            $0.admission.request(wanted.name, host: host, now: now)
        }
        guard mayGo else {
            wake.yield()
            return .ended(.converged)
        }
        guard wanted.spec.autoReconnect || wanted.isDialSpent else {
            control.expectDial(wanted)
            return .waits { await self.spendAndOpen(wanted) }
        }
        log(.open, name: wanted.name)
        control.open(wanted)
        return .ended(.converged)
    }

    private func spendAndOpen(_ wanted: DesiredConnection) async -> Outcome {
        guard let spent = await desired.spendDial(wanted.name) else {
            control.dialIsOff(wanted.name)
            let now = now()
            state.withLock { $0.admission.finished(wanted.name, now: now) }
            return .failed
        }
        log(.open, name: wanted.name)
        control.open(spent)
        return .converged
    }

    private func log(_ step: PlanStep, name: String) {
        logger.debug(
            "reconcile step",
            metadata: ["wsm.connection.name": "\(name)", "step": "\(step)"])
    }
}
