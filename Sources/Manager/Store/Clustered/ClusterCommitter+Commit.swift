import ManagerCore
import Synchronization

// MARK: Committing

extension ClusterCommitter {
    /// - Returns: what others were first with; `nil` when all is in effect.
    func commit(
        _ plan: ChangePlan, _ mode: ChangeMode, _ progress: inout ChangeProgress,
        _ cluster: any Cluster
    ) async throws -> ObjectKey? {
        guard !plan.steps.isEmpty else { return nil }
        if mode.isOwnOnly, let step = plan.steps.first(where: { !isServed($0.key) }) {
            throw notCommitted("this instance does not own \(step.key) now", isOfStore: false)
        }
        var sets = plan.steps.filter(\.isOfApplySet)
        let rest = plan.steps.filter { !$0.isOfApplySet }
        if !sets.isEmpty {
            try await prepare(&sets, plan, &progress, cluster)
            if let key = try await make(sets, of: plan, mode, &progress, cluster) { return key }
        }
        for part in Self.groups(rest) {
            if let key = try await make(part, of: plan, mode, &progress, cluster) {
                return try await overtaken(&progress) ?? key
            }
        }
        if !rest.isEmpty, let key = try await overtaken(&progress) { return key }
        onCommit(nil)
        await removeLeftPages(progress)
        return nil
    }

    /// Changes that may be under way together, bounded in number and bytes.
    static func groups(_ steps: [ChangePlan.Step]) -> [[ChangePlan.Step]] {
        var groups: [[ChangePlan.Step]] = []
        var group: [ChangePlan.Step] = []
        var bytes = 0
        for step in steps {
            let size = step.content.count
            if !group.isEmpty, group.count == changesPerCall || bytes + size > bytesPerCall {
                groups.append(group)
                (group, bytes) = ([], 0)
            }
            group.append(step)
            bytes += size
        }
        if !group.isEmpty { groups.append(group) }
        return groups
    }

    private func isServed(_ key: ObjectKey) -> Bool {
        if case .me = owner(of: key.name) { true } else { false }
    }

    /// Writes the pages of new revisions, and deletes those that the last change let go.
    private func prepare(
        _ sets: inout [ChangePlan.Step], _ plan: ChangePlan, _ progress: inout ChangeProgress,
        _ cluster: any Cluster
    ) async throws {
        for step in sets where cluster.gate(for: step.key.name)?.mayAct == false {
            throw notCommitted(
                "this instance owns \(step.key) but may not act now", isOfStore: false)
        }
        let fresh = plan.pages.filter { !progress.pages.contains($0.key) }
        do {
            try await pages.write(fresh)
        } catch {
            throw notCommitted(
                "the state store did not take the change: \(error)", isOfStore: true)
        }
        progress.pages.formUnion(fresh.map(\.key))
        for index in sets.indices {
            guard case .applySet(let before)? = sets[index].from.object,
                case .applySet(var after)? = sets[index].to
            else { continue }
            for number in before.dropped.intersection(after.dropped).sorted()
            where await pages.deleteUnderDigest(number, of: before) {
                progress.tidied[after.name, default: []].insert(number)
                after.dropped.remove(number)
            }
            sets[index].to = .applySet(after)
        }
    }

    /// Makes changes that may be under way together.
    ///
    /// - Returns: what others were first with.
    /// - Throws: ``TwoTierStore/NotCommitted`` if of any it is not known what became of it.
    private func make(
        _ steps: [ChangePlan.Step], of plan: ChangePlan, _ mode: ChangeMode,
        _ progress: inout ChangeProgress, _ cluster: any Cluster
    ) async throws -> ObjectKey? {
        for step in steps where step.isConnect { connects.begin(step.key) }
        let deadline = ContinuousClock.now.advanced(by: mode.isOwnOnly ? .zero : patience.limit)
        var open = steps
        var refused: [ChangePlan.Step] = []
        var isRepeated = false
        while true {
            let results = await cluster.change(open.map(\.change))
            var unknown: [ChangePlan.Step] = []
            for (index, step) in open.enumerated() {
                switch results.indices.contains(index) ? results[index] : .unavailable {
                case .done: progress.took(step)
                case .unavailable: unknown.append(step)
                case .refused:
                    // Maybe by what an earlier try of the very same change did.
                    if isRepeated, try await isInEffect(step) {
                        progress.took(step)
                    } else {
                        refused.append(step)
                    }
                }
            }
            open = unknown
            guard !open.isEmpty, ContinuousClock.now < deadline, !Task.isCancelled else { break }
            isRepeated = true
            try? await Task.sleep(for: patience.pause)
        }
        for step in refused { progress.refused(step) }
        for step in refused + open where step.isConnect { disown(step.key) }
        guard let first = open.first?.key else { return refused.first?.key }
        throw notCommitted(
            Self.unknown(first, open.count, plan, progress), isOfStore: false)
    }

    private func isInEffect(_ step: ChangePlan.Step) async throws -> Bool {
        let seen = try await look(step.key)
        guard let wanted = step.to else { return seen.object == nil }
        return seen.base == step.newBase && seen.object?.isSame(as: wanted) == true
    }

    /// What is there now.
    private func look(_ key: ObjectKey) async throws -> SeenRecord {
        if let seen = served(key) { return seen }
        return try await fetch([key])[key] ?? .nothing
    }

    /// Whether somebody changed a set after us, while we changed what belongs to it: then nobody
    /// knows whose changes came last, and all of ours are made once more, on top.
    private func overtaken(_ progress: inout ChangeProgress) async throws -> ObjectKey? {
        for key in progress.applySets {
            let seen = try await look(key)
            guard seen.base != progress.done[key]?.base else { continue }
            progress.overtaken()
            return key
        }
        return nil
    }

    /// Pages of revisions that others were first with. Those that nobody gets to delete are
    /// garbage that no record tells of.
    private func removeLeftPages(_ progress: ChangeProgress) async {
        let left = progress.pages.filter { page in
            guard case .applySet(let record)? = progress.done[.applySet(page.set)]?.now else {
                return false
            }
            return !record.history.contains {
                $0.number == page.revision && $0.digest == page.digest && $0.content != nil
            }
        }
        if !left.isEmpty { await pages.deleteAll(Array(left)) }
    }
}

// MARK: Connects without an answer

extension ClusterCommitter {
    /// The caller of this Connect is told that it failed: should its record come about, it goes.
    private func disown(_ key: ObjectKey) {
        connects.end(key)
        guard let seen = memory.seen(key, servedUnder: nil), seen.object?.isProvisional == true,
            let gate = memory.read({ $0.owned[key.shard]?.gate })
        else { return }
        remove(key, seen.base, gate)
    }

    /// Removes a record whose Connect nobody will answer, for as long as the title lasts; after
    /// that the next owner does.
    func remove(_ key: ObjectKey, _ base: RecordChange.Base, _ gate: ShardGate) {
        guard let cluster = cluster.withLock({ $0 }) else { return }
        let change = RecordChange(
            name: key.indexEntry, kind: .delete, revision: base.revision + 1, base: base)
        Task {
            while !gate.isEnded {
                if await cluster.change([change]).first != .unavailable { return }
                try? await Task.sleep(for: Self.retry)
            }
        }
    }
}
