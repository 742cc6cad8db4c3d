import Logging
import ManagerCore
import Synchronization

/// Commits drafts of a process that is alone on its store.
///
/// A change is committed to the store, and only then to memory; callers are answered, and the loop
/// is told, after that. Changes that come in while one commit runs share the next, in the order
/// they came.
final class SoleCommitter: Sendable {
    let store: any StateStore
    let logger: Logger
    let epoch: UInt64
    let memory: MemoryTier
    let pages: RevisionPages
    let state = Mutex(State())
    private let onChange: @Sendable ([ObjectKey]) -> Void
    private let onCommit: @Sendable (TwoTierStore.NotCommitted?) -> Void

    struct State {
        fileprivate var waiting: [Transaction] = []
        fileprivate var isCommitting = false
        var doubts = StoreDoubts()
    }

    /// One change that waits for its commit.
    fileprivate struct Transaction: Sendable {
        var tells: Bool
        /// Changes the draft; returns how to answer. A refusal leaves the draft as it was.
        var run: @Sendable (inout StoreDraft) -> @Sendable (TwoTierStore.NotCommitted?) -> Void
    }

    init(
        store: any StateStore, memory: MemoryTier, epoch: UInt64, logger: Logger,
        onChange: @escaping @Sendable ([ObjectKey]) -> Void,
        onCommit: @escaping @Sendable (TwoTierStore.NotCommitted?) -> Void
    ) {
        self.onCommit = onCommit
        self.store = store
        self.epoch = epoch
        self.logger = logger
        self.onChange = onChange
        self.memory = memory
        pages = RevisionPages(store: store, logger: logger)
    }

    private func transact<Result: Sendable>(
        tells: Bool, _ body: @escaping @Sendable (inout StoreDraft) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Result, any Error>) in
            enqueue(
                Transaction(tells: tells) { draft in
                    let before = draft
                    do {
                        let result = try body(&draft)
                        return { failure in
                            if let failure {
                                continuation.resume(throwing: failure)
                            } else {
                                continuation.resume(returning: result)
                            }
                        }
                    } catch {
                        draft = before
                        return { _ in continuation.resume(throwing: error) }
                    }
                })
        }
    }

    private func enqueue(_ transaction: Transaction) {
        let starts = state.withLock { state in
            state.waiting.append(transaction)
            defer { state.isCommitting = true }
            return !state.isCommitting
        }
        if starts { Task { await commitAll() } }
    }

    private func commitAll() async {
        while let waiting = takeWaiting() {
            var draft = StoreDraft(base: memory, epoch: epoch)
            let answers = waiting.map { $0.run(&draft) }
            let failure = await commit(draft)
            if !draft.order.isEmpty { onCommit(failure) }
            if failure == nil, !draft.order.isEmpty, waiting.contains(where: \.tells) {
                onChange(draft.order)
            }
            for answer in answers { answer(failure) }
            if failure == nil {
                await tidyIndex(draft)
                await tidyRevisions(of: draft.order)
            }
        }
    }

    private func takeWaiting() -> [Transaction]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isCommitting = false
                return nil
            }
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// Writes a draft, index before record on create, tombstone before index on delete.
    private func commit(_ draft: StoreDraft) async -> TwoTierStore.NotCommitted? {
        guard !draft.order.isEmpty else { return nil }
        do {
            try await settleDoubts()
            var commit = StoreCommit(draft: draft, over: memory)
            let fresh = commit.keysToRead
            if !fresh.isEmpty {
                commit.found(try await store.bulkGet(fresh))
            }
            let writes = commit.changeWrites()
            var outcomes = await store.write(writes.map(\.write))
            do {
                try await resolve(writes, &outcomes)
            } catch {
                doubt(writes)
                throw error
            }
            let done = commit
            let settled = outcomes
            memory.write { done.install(writes, settled, into: &$0) }
            return nil
        } catch {
            logger.error(
                "a change could not be committed", metadata: ["error": "\(error)"])
            return TwoTierStore.NotCommitted(
                description: "the state store did not take the change: \(error)")
        }
    }

    /// Takes the names of removed records off their index pages.
    private func tidyIndex(_ draft: StoreDraft) async {
        let removed = StoreCommit(draft: draft, over: memory).removedKeys
        guard !removed.isEmpty else { return }
        var tidy = StoreCommit(
            draft: StoreDraft(base: memory, epoch: epoch), over: memory)
        let writes = tidy.removalWrites(removed)
        let outcomes = await store.write(writes.map(\.write))
        let done = tidy
        memory.write { done.install(writes, outcomes, into: &$0) }
        doubt(
            zip(writes, outcomes).compactMap { write, outcome in
                if case .applied = outcome { nil } else { write }
            })
    }

    /// Decides what is undecided by reading: an outcome is known by what stands in the store, never
    /// by an error's text.
    private func resolve(
        _ writes: [StoreCommit.Write], _ outcomes: inout [WriteOutcome]
    ) async throws(StateStoreError) {
        let undecided = writes.indices.filter {
            if case .applied = outcomes[$0] { false } else { true }
        }
        guard !undecided.isEmpty else { return }
        let entries = try await store.bulkGet(undecided.map { writes[$0].write.key })
        for index in undecided {
            let entry = entries[writes[index].write.key]
            guard let entry, entry.value == writes[index].write.value else {
                if case .unknown(let sentence) = outcomes[index] {
                    throw StateStoreError(message: sentence)
                }
                throw Self.writtenBySomebodyElse(writes[index].write.key)
            }
            outcomes[index] = .applied(etag: entry.etag)
        }
    }
}

extension SoleCommitter: DraftCommitter {
    func transact<Result: Sendable>(
        _ mode: ChangeMode, _ body: @escaping @Sendable (inout StoreDraft) throws -> Result
    ) async throws -> Result {
        try await transact(tells: mode.tells, body)
    }

    func find(_ key: ObjectKey) async throws -> StoredObject? {
        memory.read { $0.object(key) }
    }

    func owner(of name: String) -> ShardOwner { .me(epoch: epoch) }
    func epoch(of name: String) -> UInt64? { epoch }
    var isShared: Bool { false }
}

extension SoleCommitter {
    /// Deletes the pages of revisions that were let go. What fails is tried again with the next
    /// change of the set, and at the next start: the set's record names them until then.
    func tidyRevisions(of keys: [ObjectKey]) async {
        for case .applySet(let set) in keys {
            guard let record = memory.applySet(set) else { continue }
            for number in record.dropped.sorted() {
                guard await pages.delete(number, of: record) else { continue }
                memory.write { _ = $0.applySets[set]?.record.dropped.remove(number) }
            }
        }
    }
}
