package import ManagerCore
package import Reconciler
import Synchronization

// What the reconcile loop sees: shadows like any other connection.
extension FleetShards: ConnectionControl {
    private func shadowConnection(_ name: String) -> ManagedConnection? {
        fleet.connection(name) == nil ? state.withLock { $0.member(name)?.connection } : nil
    }

    package func observe(_ name: String) -> ObservedConnection? {
        fleet.observe(name) ?? state.withLock { $0.member(name)?.connection }?.dialled
    }

    package func observedFacts(_ name: String) -> ObservedFacts? {
        if let connection = fleet.connection(name) { return connection.passFacts }
        guard let shadow = state.withLock({ $0.member(name)?.connection }) else { return nil }
        let facts = shadow.passFacts
        return facts.link == .idle ? nil : facts
    }

    package func forEachObserved(_ body: (ArraySlice<ObservedRow>) -> Void) {
        // Before the fleet: a shadow that is adopted meanwhile is not told of twice.
        let shadows = shadowConnections.filter { fleet.connection($0.name) == nil }
        guard !shadows.isEmpty else { return fleet.forEachObserved(body) }
        let names = Set(shadows.map(\.name))
        fleet.forEachObserved { rows in
            var rows = rows
            for index in rows.indices where names.contains(rows[index].name) {
                rows[index].facts = nil
            }
            body(rows)
        }
        let rows = shadows.map { shadow in
            let facts = shadow.passFacts
            return ObservedRow(name: shadow.name, facts: facts.link == .idle ? nil : facts)
        }
        body(rows[...])
    }

    package func expectDial(_ desired: DesiredConnection) {
        if let shadow = shadowConnection(desired.name) {
            shadow.markDialing(desired.dialRevision)
        } else {
            fleet.expectDial(desired)
        }
    }

    package func dialIsOff(_ name: String) {
        if let shadow = shadowConnection(name) { shadow.dialIsOff() } else { fleet.dialIsOff(name) }
    }

    package func open(_ desired: DesiredConnection) {
        if let shadow = shadowConnection(desired.name) {
            shadow.open(desired)
        } else {
            fleet.open(desired)
        }
    }

    package func reopen(_ desired: DesiredConnection, cause: PlanStep.ReopenReason) {
        guard let shadow = shadowConnection(desired.name) else {
            return fleet.reopen(desired, cause: cause)
        }
        switch cause {
        case .edited: shadow.reopen(desired)
        case .replaced: shadow.close()
        }
    }

    package func update(_ desired: DesiredConnection) {
        if let shadow = shadowConnection(desired.name) {
            shadow.update(desired)
        } else {
            fleet.update(desired)
        }
    }

    package func close(_ name: String) {
        if let shadow = shadowConnection(name) { shadow.close() } else { fleet.close(name) }
    }

    package func release(_ name: String) {
        guard let shadow = shadowConnection(name) else { return fleet.release(name) }
        state.withLock { state in
            if let shard = state.places[name] { state.removeMember(name, of: shard) }
        }
        shadow.leave {}
        environment.onChange([name])
    }
}

extension FleetShards: DesiredState {
    package func desired(_ name: String) -> DesiredConnection? {
        records.desired(name) ?? state.withLock { $0.member(name)?.desired }
    }

    package func desiredFacts(_ name: String) -> DesiredFacts? {
        records.desiredFacts(name)
            ?? state.withLock { $0.member(name)?.desired }.map { DesiredFacts($0) }
    }

    package func desiredTable() -> DesiredTable {
        let shadows = state.withLock { state in
            state.shadows.values.flatMap { $0.members.values.map(\.desired) }
        }
        return shadows.reduce(into: records.desiredTable()) { table, desired in
            if table[desired.name] == nil { table[desired.name] = DesiredFacts(desired) }
        }
    }

    /// The one dial of a shadow is remembered here alone: its record belongs to another.
    package func spendDial(_ name: String) async -> DesiredConnection? {
        guard records.desired(name) == nil else { return await records.spendDial(name) }
        return state.withLock { state in
            guard let shard = state.places[name],
                var desired = state.shadows[shard]?.members[name]?.desired
            else { return nil }
            desired.spentDialRevision = desired.dialRevision
            state.shadows[shard]?.members[name]?.desired = desired
            return desired
        }
    }

    package func confirm(_ name: String) async -> Bool {
        records.desired(name) == nil ? true : await records.confirm(name)
    }

    package func discard(_ name: String) async -> Bool {
        records.desired(name) == nil ? true : await records.discard(name)
    }
}

extension ManagedConnection {
    /// `nil` before the first dial was asked for, as of a connection that is not there.
    fileprivate var dialled: ObservedConnection? {
        let seen = observed
        return seen.state == .idle ? nil : seen
    }
}
