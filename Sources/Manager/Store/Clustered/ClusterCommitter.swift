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
    /// Bytes of them, in all but a single larger one: each may go to the same owner, whose link takes
    /// them in order and gives up what takes seconds to deliver.
    static let bytesPerCall = 2 << 20
    /// Between two tries to remove what a Connect left that nobody answered.
    static let retry: Duration = .seconds(1)

    /// With owners that do not answer: a shard that is handed over is not served for some seconds.
    struct Patience: Sendable {
        /// For one group of changes: longer than a hand-over, shorter than a caller likes to wait.
        var limit: Duration = .seconds(10)
        /// Between two tries.
        var pause: Duration = .milliseconds(500)
    }

    let memory: MemoryTier
    private let reads: ClusterReads
    let pages: RevisionPages
    let connects: OpenConnects
    let patience: Patience
    private let logger: Logger
    let onCommit: @Sendable (TwoTierStore.NotCommitted?) -> Void
    private let locks = KeyLocks()
    let cluster = Mutex<(any Cluster)?>(nil)

    init(
        store: any StateStore, memory: MemoryTier, connects: OpenConnects,
        patience: Patience, logger: Logger,
        onCommit: @escaping @Sendable (TwoTierStore.NotCommitted?) -> Void
    ) {
        self.memory = memory
        self.connects = connects
        self.patience = patience
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
            if mode.isOwnOnly { return memory.seen(key, servedUnder: nil) ?? .nothing }
            return progress.toFetch.contains(key) ? nil : served(key)
        }
    }

    /// What this instance may answer for; `nil` otherwise.
    func served(_ key: ObjectKey) -> SeenRecord? {
        guard case .me(let epoch) = owner(of: key.name) else { return nil }
        return memory.seen(key, servedUnder: epoch)
    }

    func fetch(_ keys: Set<ObjectKey>) async throws -> [ObjectKey: SeenRecord] {
        do {
            return try await reads.read(keys)
        } catch {
            throw notCommitted("the state store cannot be read: \(error)", isOfStore: true)
        }
    }

    func notCommitted(
        _ sentence: String, isOfStore: Bool
    ) -> TwoTierStore.NotCommitted {
        let failure = TwoTierStore.NotCommitted(description: sentence)
        // Owners that do not answer are told of by the cluster's own events, and to the caller.
        logger.log(
            level: isOfStore ? .error : .debug, "a change could not be committed",
            metadata: ["error": "\(sentence)"])
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
