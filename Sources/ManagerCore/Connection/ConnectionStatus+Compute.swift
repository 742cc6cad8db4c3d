import Spec

extension ConnectionStatus {
    /// Reads desired against observed.
    ///
    /// Conditions keep the transition time they had where their status did not change.
    ///
    /// - Parameter observed: `nil` if this process has not dialled it yet.
    package init(desired: DesiredConnection, observed: ObservedConnection?, now: WallTime) {
        let seen =
            observed
            ?? ObservedConnection(
                name: desired.name, uid: desired.uid, generation: 0)
        self.observed = seen
        stall = Self.stall(desired: desired, observed: seen.facts)
        phase = Self.phase(
            observed: seen.facts, stall: stall, redials: desired.spec.autoReconnect)
        let facts = Facts(desired: desired, observed: seen.facts, phase: phase, stall: stall)
        var conditions: [Condition] = []
        facts.forEach { index, fact in
            conditions.append(
                Condition(
                    type: fact.type, status: fact.status, reason: fact.reason,
                    message: fact.message, observedGeneration: seen.generation,
                    lastTransitionTime: seen.facts.since(index, fact.status, now).time))
        }
        self.conditions = conditions
    }

    /// The phase alone, which costs no more than looking.
    package static func phase(
        desired: DesiredConnection, observed: ObservedConnection?
    ) -> Phase {
        let seen =
            observed?.facts
            ?? ConnectionFacts(name: desired.name, uid: desired.uid, generation: 0)
        return phase(
            observed: seen, stall: stall(desired: desired, observed: seen),
            redials: desired.spec.autoReconnect)
    }

    fileprivate static func stall(
        desired: DesiredConnection, observed: ConnectionFacts
    ) -> StallReason? {
        switch observed.state {
        case .dialing, .open, .closing: return nil
        case .idle, .down: break
        }
        if let missing = observed.missingSecret { return .secretUnavailable(missing) }
        if let refused = observed.refusedAddress { return .addressRefused(refused) }
        if desired.isDialSpent { return .reconnectDisabled }
        if observed.isExhausted, observed.dialRevision == desired.dialRevision {
            return .attemptsExhausted
        }
        return nil
    }

    fileprivate static func phase(
        observed: ConnectionFacts, stall: StallReason?, redials: Bool
    ) -> Phase {
        switch observed.state {
        case .open: return .connected
        case .closing(let closing):
            switch closing.cause {
            case .removed, .shutdown: return .closing
            case .reopen, .fenced: return .reconnecting
            case .fault: return redials ? .reconnecting : .disconnected
            }
        case .down(let down) where down.isFinal: return .disconnected
        case .dialing:
            return observed.hasBeenOpen || observed.attempt > 0 ? .reconnecting : .connecting
        case .idle, .down: break
        }
        switch stall {
        case .reconnectDisabled: return .disconnected
        case .attemptsExhausted, .secretUnavailable, .addressRefused: return .stalled
        case nil:
            if case .idle = observed.state { return .pending }
            return .reconnecting
        }
    }
}

extension ConnectionFacts {
    /// Of the socket that is or was; `nil` if there was none.
    package var dialRevision: Int64? {
        switch state {
        case .idle: nil
        case .dialing(let dialing): dialing.dialRevision
        case .open(let open): open.dialRevision
        case .closing(let closing): closing.dialRevision
        case .down(let down): down.dialRevision
        }
    }

    package var isOpen: Bool {
        if case .open = state { true } else { false }
    }
}

extension ConnectionFacts {
    /// Notes since when its conditions are as they are now, for the next computation.
    ///
    /// - Returns: the phase.
    package mutating func noteConditions(desired: DesiredConnection, now: WallTime) -> Phase {
        let stall = ConnectionStatus.stall(desired: desired, observed: self)
        let phase = ConnectionStatus.phase(
            observed: self, stall: stall, redials: desired.spec.autoReconnect)
        var times = ConditionTimes()
        Facts(desired: desired, observed: self, phase: phase, stall: stall).forEach { index, fact in
            times.append(since(index, fact.status, now))
        }
        conditionsSince = times
        return phase
    }

    /// The time of the last change of a condition, if its status is this one now.
    fileprivate func since(
        _ index: Int, _ status: Condition.Status, _ now: WallTime
    ) -> Condition.Since {
        if let before = conditionsSince[index], before.status == status { return before }
        return Condition.Since(status: status, time: now)
    }
}

/// The conditions before they have times.
private struct Facts {
    struct Fact {
        var type: String
        var status: Condition.Status
        var reason: String
        var message: String
    }

    var desired: DesiredConnection
    var observed: ConnectionFacts
    var phase: Phase
    var stall: StallReason?

    /// `Ready` first, always in this order.
    func forEach(_ body: (_ index: Int, _ fact: Fact) -> Void) {
        body(0, ready)
        body(1, connected)
        body(2, subscribed)
        body(3, publishing)
        body(4, owned)
        body(5, reconciling)
        body(6, stalled)
    }

    private var ready: Fact {
        for part in [connected, subscribed, publishing] where part.status != .yes {
            return Fact(
                type: "Ready", status: .no, reason: part.reason, message: part.message)
        }
        guard observed.generation == desired.generation else {
            return Fact(
                type: "Ready", status: .no, reason: "Reconciling",
                message: "generation \(desired.generation) is not in force yet")
        }
        return Fact(type: "Ready", status: .yes, reason: "Ready", message: "")
    }

    private var connected: Fact {
        if case .open = observed.state {
            return Fact(type: "Connected", status: .yes, reason: "Open", message: "")
        }
        let reason =
            switch stall {
            case .some(let stall): stall.reason
            case nil: phase.rawValue
            }
        return Fact(type: "Connected", status: .no, reason: reason, message: whyNotConnected)
    }

    private var whyNotConnected: String {
        switch stall {
        case .secretUnavailable(let sentence), .addressRefused(let sentence): return sentence
        case .attemptsExhausted, .reconnectDisabled, nil: break
        }
        if let failure = observed.lastFailure { return failure.message }
        if let close = observed.lastClose {
            let reason = close.reason.isEmpty ? "" : " (\(close.reason))"
            return "closed with \(close.code)\(reason) by \(close.by.rawValue)"
        }
        return phase == .pending ? "waiting for its first dial" : ""
    }

    private var subscribed: Fact {
        guard case .open(let open) = observed.state else {
            return Fact(type: "Subscribed", status: .no, reason: "NotConnected", message: "")
        }
        return open.isSubscribed
            ? Fact(type: "Subscribed", status: .yes, reason: "OnOpenWritten", message: "")
            : Fact(type: "Subscribed", status: .no, reason: "WritingOnOpen", message: "")
    }

    private var publishing: Fact {
        guard desired.effectiveSpec.topic != nil else {
            return Fact(type: "Publishing", status: .yes, reason: "NoTopic", message: "")
        }
        guard let failure = observed.publishFailure else {
            return Fact(type: "Publishing", status: .yes, reason: "Accepted", message: "")
        }
        return Fact(
            type: "Publishing", status: .no, reason: "BusUnavailable", message: failure)
    }

    private var owned: Fact {
        Fact(type: "Owned", status: .yes, reason: "Owned", message: "")
    }

    private var reconciling: Fact {
        let isDone = ready.status == .yes || stall != nil
        return Fact(
            type: "Reconciling", status: isDone ? .no : .yes,
            reason: isDone ? "Converged" : phase.rawValue, message: "")
    }

    private var stalled: Fact {
        guard let stall else {
            return Fact(type: "Stalled", status: .no, reason: "Progressing", message: "")
        }
        // A connection that does what was asked of it is disconnected, not stalled.
        let status: Condition.Status = stall == .reconnectDisabled ? .no : .yes
        return Fact(
            type: "Stalled", status: status, reason: stall.reason, message: whyNotConnected)
    }
}
