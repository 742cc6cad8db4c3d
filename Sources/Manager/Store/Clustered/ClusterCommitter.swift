import Logging
import ManagerCore
import Synchronization

/// Commits drafts in a cluster: each record is changed by the owner of its shard, on condition that
/// it still is what the draft was made from.
///
/// A change of several records is not atomic. The records of apply sets go first, and who gets
/// those in may do the rest. Where the owner refuses, since others were first, the change runs
/// again; see ``ChangeProgress``.
final class ClusterCommitter: Sendable {
    /// How often a change is made that others overtake.
    static let tries = 5
    /// Changes of records under way at one time for one change of a draft.
    static let changesPerCall = 500
    /// Between two tries to remove what a Connect left that nobody answered.
    static let retry: Duration = .seconds(1)

    private let memory: MemoryTier
    private let reads: ClusterReads
    private let pages: RevisionPages
    private let connects: OpenConnects
    private let logger: Logger
    private let onCommit: @Sendable (TwoTierStore.NotCommitted?) -> Void
    private let locks = KeyLocks()
    private let cluster = Mutex<(any Cluster)?>(nil)

    init(
        store: any StateStore, memory: MemoryTier, connects: OpenConnects, logger: Logger,
        onCommit: @escaping @Sendable (TwoTierStore.NotCommitted?) -> Void
    ) {
        self.memory = memory
        self.connects = connects
        self.logger = logger
        self.onCommit = onCommit
        reads = ClusterReads(store: store)
        pages = RevisionPages(store: store, logger: logger)
    }

    func join(_ cluster: any Cluster) { self.cluster.withLock { $0 = cluster } }

    private func joined() throws -> any Cluster {
        guard let cluster = cluster.withLock({ $0 }) else {
            throw TwoTierStore.NotCommitted(description: "this instance has not joined the cluster")
        }
        return cluster
    }

    // MARK: Running

    /// One run of a change.
    private struct Run<Result: Sendable> {
        var plan: ChangePlan
        var view: ChangeView
        var result: Result
    }

    /// Runs the change as often as it asks for records that are not in this process.
    private func run<Result: Sendable>(
        _ body: @Sendable (inout StoreDraft) throws -> Result, _ mode: ChangeMode,
        after progress: ChangeProgress
    ) async throws -> Run<Result> {
        let view = view(mode, after: progress)
        while true {
            var draft = StoreDraft(base: view, epoch: 0)
            let outcome = Swift.Result { try body(&draft) }
            if case .success = outcome { for key in draft.order { view.seen(key) } }
            let missing = view.takeMissing()
            guard missing.isEmpty else {
                view.fetched(
                    try await fetch(missing).reduce(into: [:]) {
                        $0[$1.key] = progress.judged($1.value, $1.key)
                    })
                continue
            }
            return Run(
                plan: ChangePlan(draft, over: view, after: progress), view: view,
                result: try outcome.get())
        }
    }

    private func view(_ mode: ChangeMode, after progress: ChangeProgress) -> ChangeView {
        ChangeView(after: progress) { [self] key in
            mode.isOwnOnly ? memory.seen(key, servedUnder: nil) ?? .nothing : served(key)
        }
    }

    /// What this instance may answer for; `nil` otherwise.
    private func served(_ key: ObjectKey) -> SeenRecord? {
        guard case .me(let epoch) = owner(of: key.name) else { return nil }
        return memory.seen(key, servedUnder: epoch)
    }

    private func fetch(_ keys: Set<ObjectKey>) async throws -> [ObjectKey: SeenRecord] {
        do {
            return try await reads.read(keys)
        } catch {
            throw notCommitted("the state store cannot be read: \(error)", isOfStore: true)
        }
    }

    private func notCommitted(
        _ sentence: String, isOfStore: Bool
    ) -> TwoTierStore.NotCommitted {
        let failure = TwoTierStore.NotCommitted(description: sentence)
        logger.error("a change could not be committed", metadata: ["error": "\(sentence)"])
        if isOfStore { onCommit(failure) }
        return failure
    }
}

// MARK: The change as a whole

extension ClusterCommitter: DraftCommitter {
    func transact<Result: Sendable>(
        _ mode: ChangeMode, _ body: @escaping @Sendable (inout StoreDraft) throws -> Result
    ) async throws -> Result {
        let cluster = try joined()
        var progress = ChangeProgress()
        var held: Set<ObjectKey> = []
        defer { locks.release(held) }
        var last: ObjectKey?
        var tries = 0
        while tries < Self.tries {
            let run: Run<Result>
            do {
                run = try await self.run(body, mode, after: progress)
            } catch {
                throw Self.refusal(error, progress)
            }
            if !run.plan.keys.isSubset(of: held) {
                if held.isEmpty, locks.takeNow(run.plan.keys) {
                    held = run.plan.keys
                } else {
                    // Looked at again under the locks: whoever had them may have changed something.
                    let wanted = held.union(run.plan.keys)
                    locks.release(held)
                    held = []
                    await locks.take(wanted)
                    held = wanted
                    continue
                }
            }
            tries += 1
            guard mode.isOwnOnly || run.view.isAnswerable else { continue }
            last = try await commit(run.plan, mode, &progress, cluster)
            if last == nil { return run.result }
        }
        throw Self.contended(last, progress)
    }

    func find(_ key: ObjectKey) async throws -> StoredObject? {
        if let seen = served(key) { return seen.object }
        return try await reads.read([key])[key]?.object
    }

    func owner(of name: String) -> ShardOwner {
        cluster.withLock { $0 }?.owner(of: name) ?? .nobody
    }

    var isShared: Bool { true }

    func epoch(of name: String) -> UInt64? {
        memory.read { $0.owned[Shards.shard(of: name)]?.gate.epoch }
    }
}

// MARK: Committing

extension ClusterCommitter {
    /// - Returns: what others were first with; `nil` when all is in effect.
    private func commit(
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
            if let key = try await make(sets, of: plan, &progress, cluster) { return key }
        }
        var start = 0
        while start < rest.count {
            let end = min(start + Self.changesPerCall, rest.count)
            let part = Array(rest[start..<end])
            if let key = try await make(part, of: plan, &progress, cluster) {
                return try await overtaken(&progress) ?? key
            }
            start = end
        }
        if !rest.isEmpty, let key = try await overtaken(&progress) { return key }
        onCommit(nil)
        await removeLeftPages(progress)
        return nil
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
        _ steps: [ChangePlan.Step], of plan: ChangePlan, _ progress: inout ChangeProgress,
        _ cluster: any Cluster
    ) async throws -> ObjectKey? {
        for step in steps where step.isConnect { connects.begin(step.key.name) }
        let results = await cluster.change(steps.map(\.change))
        var refused: ObjectKey?
        var unknown: [ObjectKey] = []
        for (index, step) in steps.enumerated() {
            switch results.indices.contains(index) ? results[index] : .unavailable {
            case .done:
                progress.took(step)
                continue
            case .refused:
                progress.refused(step)
                refused = refused ?? step.key
            case .unavailable: unknown.append(step.key)
            }
            if step.isConnect { disown(step.key) }
        }
        guard let first = unknown.first else { return refused }
        throw notCommitted(
            Self.unknown(first, unknown.count, plan, progress), isOfStore: false)
    }

    /// Whether somebody changed a set after us, while we changed what belongs to it: then nobody
    /// knows whose changes came last, and all of ours are made once more, on top.
    private func overtaken(_ progress: inout ChangeProgress) async throws -> ObjectKey? {
        for key in progress.applySets {
            var seen = served(key)
            if seen == nil { seen = try await fetch([key])[key] }
            guard let seen, seen.base != progress.done[key]?.base else { continue }
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
        connects.end(key.name)
        guard let seen = memory.seen(key, servedUnder: nil), seen.object?.isProvisional == true,
            let base = seen.base, let gate = memory.read({ $0.owned[key.shard]?.gate })
        else { return }
        remove(key, base, gate)
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

// MARK: What the caller is told

extension ClusterCommitter {
    private static func unknown(
        _ key: ObjectKey, _ count: Int, _ plan: ChangePlan, _ progress: ChangeProgress
    ) -> String {
        guard plan.steps.count > 1 else {
            return "\(key) could not be changed by its owner in time: the change may be in effect, "
                + "or come into effect"
        }
        let inEffect = plan.keys.count { progress.done[$0] != nil }
        let (more, owners) =
            count > 1 ? (" and \(count - 1) more", "their owners") : ("", "its owner")
        return "\(inEffect) of \(plan.steps.count) changes are in effect; \(key)\(more) could not "
            + "be changed by \(owners) in time, and what follows was not tried: make the same "
            + "change again to complete it"
    }

    private static func contended(
        _ key: ObjectKey?, _ progress: ChangeProgress
    ) -> TwoTierStore.Contended {
        let place = key.map { ", the last time at \($0)" } ?? ""
        let part = progress.hasTakenEffect ? "; a part of this change is in effect" : ""
        return TwoTierStore.Contended(
            description: "others changed the same objects \(tries) times while this change was "
                + "made\(place)\(part): look at what is there and make the change again")
    }

    /// The change was refused, maybe when it ran again after a part of it had taken effect.
    private static func refusal(_ error: any Error, _ progress: ChangeProgress) -> any Error {
        guard progress.hasTakenEffect, !(error is TwoTierStore.NotCommitted) else { return error }
        return TwoTierStore.Contended(
            description: "a part of the change took effect, then others changed the same objects, "
                + "and the rest is refused now: \(error)")
    }
}
