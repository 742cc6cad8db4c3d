import ManagerCore
import Spec

extension SetApply {
    enum Victim: Hashable {
        case connection(String)
        case connectionSet(String)
    }

    /// What the set has and the input lacks.
    func pruneVictims() throws -> [Victim] {
        let isEmpty = inputConnections.isEmpty && inputSets.isEmpty
        let owned = set.connections.count + set.connectionSets.count
        if isEmpty, owned > 0, !options.allowEmpty {
            throw PruneRefused(
                description: "the input is empty and would delete all \(owned) objects of set "
                    + "\(options.set): if that is meant, add --allow-empty")
        }
        let victims =
            set.connectionSets.subtracting(inputSets).sorted().map { Victim.connectionSet($0) }
            + set.connections.subtracting(inputConnections).sorted().map { Victim.connection($0) }
        let total = connectionCount(
            set.connectionSets.map { .connectionSet($0) }
                + set.connections.map { .connection($0) })
        let doomed = connectionCount(victims.filter { !isProtected($0) })
        let allowed = options.maxPrune.allowed(of: total)
        guard doomed <= allowed else {
            throw PruneRefused(
                description: "it would delete \(doomed) of the \(total) connections of set "
                    + "\(options.set), and at most \(allowed) are allowed: if that is meant, raise "
                    + "--max-prune (a number, or a percentage)")
        }
        return victims
    }

    private func connectionCount(_ victims: [Victim]) -> Int {
        victims.reduce(0) { sum, victim in
            switch victim {
            case .connection: sum + 1
            case .connectionSet(let name):
                sum + max(1, draft.connectionSet(name)?.members.count ?? 0)
            }
        }
    }

    func isProtected(_ victim: Victim) -> Bool {
        switch victim {
        case .connection(let name):
            draft.connection(name)?.desired.annotations[Metadata.pruneAnnotation] == "disabled"
        case .connectionSet(let name):
            draft.connectionSet(name)?.annotations[Metadata.pruneAnnotation] == "disabled"
        }
    }

    mutating func prune(_ victim: Victim) {
        switch victim {
        case .connection(let name):
            // A member of a set of this input is not the prune's any more.
            guard let desired = draft.connection(name)?.desired, desired.keeper == keeper,
                desired.connectionSet == nil
            else {
                set.connections.remove(name)
                return
            }
            if isProtected(victim) { return protect(.connection, name) }
            delete(connection: name, of: nil)
            set.connections.remove(name)
        case .connectionSet(let name):
            if isProtected(victim) { return protect(.connectionSet, name) }
            for member in draft.connectionSet(name)?.members ?? []
            where draft.connection(member)?.desired.connectionSet == name
                && !inputNames.contains(member)
            {
                delete(connection: member, of: name)
            }
            var result = ApplyResult(kind: .connectionSet, name: name, action: .pruned)
            result.uid = draft.connectionSet(name)?.uid ?? ""
            result.generationBefore = draft.connectionSet(name)?.generation ?? 0
            draft.removeConnectionSet(name)
            set.connectionSets.remove(name)
            outcome.results.append(result)
        }
    }

    private mutating func protect(_ kind: ObjectKind, _ name: String) {
        var result = ApplyResult(kind: kind, name: name, action: .protected)
        result.message = "annotation \(Metadata.pruneAnnotation) is disabled"
        outcome.results.append(result)
    }
}
