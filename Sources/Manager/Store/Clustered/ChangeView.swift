import ManagerCore
import Synchronization

/// A record as a change has seen it, and what its owner is to compare with.
struct SeenRecord: Sendable {
    /// `nil`: there is none.
    var object: StoredObject?
    /// Of the tombstone, where there is one.
    var base = RecordChange.Base.absent
    /// Under which it was read from memory; `nil` for what came from the store.
    var gate: ShardGate?

    /// Memory knows of no tombstones; that there is none is mostly right.
    var isGuess: Bool { object == nil && gate != nil }

    static let nothing = SeenRecord()
}

/// What one run of a change in a cluster stands on.
///
/// Every key is looked at once, so that the run sees one value of it, and the owner is asked to
/// compare with that. What is not in this process is told as absent and noted: it is fetched, and
/// the change runs again.
final class ChangeView: DraftBase {
    private struct State {
        var seen: [ObjectKey: SeenRecord]
        var missing: Set<ObjectKey> = []
    }

    private let state: Mutex<State>
    private let uids: [ObjectKey: ConnectionUID]
    private let look: @Sendable (ObjectKey) -> SeenRecord?

    /// - Parameters:
    ///   - progress: what of the change is in effect already; it is seen as it was before.
    ///   - look: what this process knows of a key; `nil` if it has to be fetched.
    init(
        after progress: ChangeProgress,
        look: @escaping @Sendable (ObjectKey) -> SeenRecord?
    ) {
        state = Mutex(State(seen: progress.done.mapValues { SeenRecord(object: $0.before) }))
        uids = progress.uids
        self.look = look
    }

    private func object(_ key: ObjectKey) -> StoredObject? { seen(key)?.object }

    /// - Returns: `nil` if it has to be fetched first.
    @discardableResult
    func seen(_ key: ObjectKey) -> SeenRecord? {
        state.withLock { state in
            if let seen = state.seen[key] { return seen }
            guard let found = look(key) else {
                state.missing.insert(key)
                return nil
            }
            state.seen[key] = found
            return found
        }
    }

    /// What has to be fetched, and is asked for only once.
    func takeMissing() -> Set<ObjectKey> {
        state.withLock { state in
            defer { state.missing = [] }
            return state.missing
        }
    }

    func fetched(_ records: [ObjectKey: SeenRecord]) {
        state.withLock { $0.seen.merge(records) { seen, _ in seen } }
    }

    /// What came from memory may still be answered for.
    var isAnswerable: Bool {
        state.withLock { state in
            state.seen.values.allSatisfy { $0.gate?.mayAct ?? true }
        }
    }

    // MARK: What the draft asks

    func connection(_ name: String) -> ConnectionRecord? {
        guard case .connection(let record)? = object(.connection(name)) else { return nil }
        return record
    }

    func connectionSet(_ name: String) -> ConnectionSetRecord? {
        guard case .connectionSet(let record)? = object(.connectionSet(name)) else { return nil }
        return record
    }

    func applySet(_ name: String) -> ApplySetRecord? {
        guard case .applySet(let record)? = object(.applySet(name)) else { return nil }
        return record
    }

    func uid(ofNew key: ObjectKey) -> ConnectionUID? { uids[key] }
    var keepsPagesUnderDigest: Bool { true }
}
