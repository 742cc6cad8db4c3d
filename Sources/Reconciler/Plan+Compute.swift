package import ManagerCore

extension Plan {
    /// Compares all that is desired with all that is there.
    ///
    /// The order of the inputs has no meaning. Applying every step and computing again gives an
    /// empty plan once the sockets have answered.
    package static func compute(
        desired: [DesiredConnection], observed: [ObservedConnection],
        now: Moment
    ) -> Plan {
        var seen: [String: ObservedConnection] = [:]
        for connection in observed { seen[connection.name] = connection }
        var plan = Plan()
        for connection in desired {
            plan.add(
                connection.name,
                step(
                    desired: connection, observed: seen.removeValue(forKey: connection.name),
                    now: now))
        }
        for (name, connection) in seen {
            plan.add(name, step(desired: nil, observed: connection, now: now))
        }
        plan.entries.sort { $0.name < $1.name }
        return plan
    }

    private mutating func add(_ name: String, _ step: PlanStep) {
        switch step {
        case .keep:
            return
        case .wait(let until):
            followUpAt = min(followUpAt ?? until, until)
        default:
            entries.append(Entry(name: name, step: step))
        }
    }

    /// What one connection needs now.
    package static func step(
        desired: DesiredConnection?, observed: ObservedConnection?,
        now: Moment
    ) -> PlanStep {
        step(
            desired: desired.map { DesiredFacts($0) }, observed: observed.map { ObservedFacts($0) },
            now: now)
    }

    /// What one connection needs now.
    package static func step(
        desired: DesiredFacts?, observed: ObservedFacts?, now: Moment
    ) -> PlanStep {
        switch (desired, observed) {
        case (nil, nil): .keep
        case (nil, .some(let observed)): stepWithoutRecord(observed)
        case (.some(let desired), nil):
            desired.isDialSpent && !desired.isProvisional
                ? .blocked(.reconnectDisabled) : .open
        case (.some(let desired), .some(let observed)):
            step(desired: desired, observed: observed, now: now)
        }
    }

    private static func stepWithoutRecord(_ observed: ObservedFacts) -> PlanStep {
        switch observed.link {
        case .idle, .down: .release
        case .dialing, .open: .close
        case .closing: .keep
        }
    }

    private static func step(
        desired: DesiredFacts, observed: ObservedFacts, now: Moment
    ) -> PlanStep {
        let isReplaced = observed.uid != desired.uid
        switch observed.link {
        case .closing:
            return .keep
        case .dialing(let dialRevision):
            if isReplaced { return .reopen(.replaced) }
            if dialRevision != desired.dialRevision { return .reopen(.edited) }
            return observed.generation == desired.generation ? .keep : .update
        case .open(let dialRevision):
            if isReplaced { return .reopen(.replaced) }
            if dialRevision != desired.dialRevision { return .reopen(.edited) }
            if desired.isProvisional { return .confirm }
            return observed.generation == desired.generation ? .keep : .update
        case .idle, .down:
            return isReplaced
                ? .release : stepWithoutSocket(desired: desired, observed: observed, now: now)
        }
    }

    private static func stepWithoutSocket(
        desired: DesiredFacts, observed: ObservedFacts, now: Moment
    ) -> PlanStep {
        guard case .down(let down) = observed.link else { return .open }
        if desired.isProvisional { return .discard }
        let isEdited = down.dialRevision != desired.dialRevision
        if desired.isDialSpent { return settled(.blocked(.reconnectDisabled), desired, observed) }
        if observed.isExhausted, !isEdited {
            return settled(.blocked(.attemptsExhausted), desired, observed)
        }
        if isEdited || down.isReopening || down.nextAttemptAt <= now { return .open }
        return settled(.wait(until: down.nextAttemptAt), desired, observed)
    }

    /// An edit is put in force even while there is no socket.
    private static func settled(
        _ step: PlanStep, _ desired: DesiredFacts, _ observed: ObservedFacts
    ) -> PlanStep {
        observed.generation == desired.generation ? step : .update
    }
}
