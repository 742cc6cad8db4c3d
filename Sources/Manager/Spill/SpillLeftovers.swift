import Logging
import ManagerCore
import Synchronization

/// What earlier lives of this instance have left on the disk. A folder whose connection comes back is
/// that one's to look after; one that nobody can publish any more is deleted, and what was in it
/// counted. Whatever is in doubt stays.
final class SpillLeftovers: Sendable {
    /// Whose the messages of a folder are.
    struct Holder: Sendable, Hashable {
        var uid: ConnectionUID
        var name: String
        /// Under which the last of them was received.
        var epoch: UInt64
    }

    enum Fate: Sendable, Hashable {
        /// Nobody can say yet.
        case open
        /// The connection is here.
        case taken
        /// Never to be published, and why.
        case dead(DropReason)
    }

    private let directory: SpillDirectory
    private let count: @Sendable (DropReason, _ messages: Int) -> Void
    private let logger: Logger
    /// Of a member of a cluster: those of which nothing is decided.
    private let open = Mutex<Set<Holder>>([])

    init(
        directory: SpillDirectory, logger: Logger,
        count: @escaping @Sendable (DropReason, _ messages: Int) -> Void
    ) {
        self.directory = directory
        self.logger = logger
        self.count = count
    }

    /// Of a server that is alone: a folder whose connection is not declared at the start is of one
    /// that was deleted, and its uid never returns. Returns at once.
    func clear(butOf declared: Set<ConnectionUID>) {
        let dead = directory.leftovers.subtracting(declared)
        guard !dead.isEmpty else { return }
        directory.run {
            for uid in dead { self.remove(uid, .connectionDeleted) { _ in true } }
        }
    }

    // MARK: Of a member of a cluster

    /// Looks whose the folders are, by reading. A folder that cannot be read stays as it is.
    func survey() async {
        await withCheckedContinuation { continuation in
            directory.run {
                let found = self.directory.leftovers.compactMap { uid in
                    self.directory.files(of: uid).with { $0.holder() }.map {
                        Holder(uid: uid, name: $0.name, epoch: $0.epoch)
                    }
                }
                self.open.withLock { $0 = Set(found) }
                continuation.resume()
            }
        }
    }

    /// Decides of those that nothing was decided of. Returns at once. Any thread.
    func judge(_ fate: @Sendable (Holder) -> Fate) {
        let dead = open.withLock { open in
            var dead: [(Holder, DropReason)] = []
            for holder in open {
                switch fate(holder) {
                case .open: continue
                case .taken: break
                case .dead(let reason): dead.append((holder, reason))
                }
                open.remove(holder)
            }
            return dead
        }
        guard !dead.isEmpty else { return }
        directory.run {
            for (holder, reason) in dead {
                // Should the connection be back already, what it has spilled since is not touched.
                self.remove(holder.uid, reason) { $0.holder()?.epoch == holder.epoch }
            }
        }
    }

    /// Spilled messages may go out only under the title right after the one they were received
    /// under. So while the header still names theirs they wait, and once another title has come and
    /// is not this instance's they are dead.
    static func fate(
        of holder: Holder, _ store: TwoTierStore, _ view: ClusterView
    ) -> Fate {
        let number = Shards.shard(of: holder.name, among: max(1, view.shards.count))
        guard view.shards.indices.contains(number), view.shards[number].epoch > holder.epoch else {
            return .open
        }
        switch view.shards[number].state {
        case .serving:
            let isHere = store.desired(holder.name)?.uid == holder.uid
            return isHere ? .taken : .dead(.connectionDeleted)
        case .owned: return .dead(.fenced)
        case .loading, .moving, .orphaned, .unowned: return .open
        }
    }

    // MARK: Removing

    /// Blocks.
    private func remove(
        _ uid: ConnectionUID, _ reason: DropReason, if isMeant: (SpillFiles) -> Bool
    ) {
        let messages = directory.files(of: uid).with { files -> Int? in
            guard isMeant(files) else { return nil }
            let messages = files.count().messages
            files.remove()
            return messages
        }
        guard let messages, messages > 0 else { return }
        count(reason, messages)
        logger.warning(
            "spilled messages of an earlier life are deleted: nobody can publish them any more",
            metadata: [
                "wsm.connection.uid": "\(uid)", "messages": "\(messages)",
                "reason": "\(reason.rawValue)",
            ])
    }
}
