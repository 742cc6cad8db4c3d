import ManagerCore

/// The records of this instance: memory in front of a ``StateStore``.
///
/// Reads never leave the process. A change is made to a draft, committed, and only then seen in
/// memory; callers are answered after that. Who commits differs: a process that is alone on its
/// store writes itself (``SoleCommitter``); in a cluster the owner of each record does
/// (``ClusterCommitter``), and memory holds the records of the shards that this instance owns.
package final class TwoTierStore: Sendable {
    /// Fails a change that could not be made durable.
    ///
    /// Of a process that is alone nothing of it is in force. In a cluster some of it may be; then
    /// the sentence says so, and the same change made again completes it.
    package struct NotCommitted: Error, CustomStringConvertible {
        package var description: String
    }

    /// Fails a change in a cluster that others' changes of the same objects overtook again and
    /// again.
    package struct Contended: Error, CustomStringConvertible {
        package var description: String
    }

    /// Fails a read of a record that another instance owns.
    package struct NotReadable: Error, CustomStringConvertible {
        package var description: String
    }

    /// Alone: of this process's claim of the shards, above every epoch the store has seen. In a
    /// cluster it only names this life of the process; see ``epoch(of:)``.
    package let epoch: UInt64
    let memory: MemoryTier
    let pages: RevisionPages
    let committer: any DraftCommitter

    init(
        memory: MemoryTier, committer: any DraftCommitter, pages: RevisionPages, epoch: UInt64
    ) {
        self.memory = memory
        self.committer = committer
        self.pages = pages
        self.epoch = epoch
    }

    /// Changes records, durably.
    ///
    /// - Parameters:
    ///   - tells: whether `onChange` hears of it where this process is alone; a written-behind
    ///     status tells nothing new. A cluster tells of every change but that of a status.
    ///   - isOwnOnly: see ``ChangeMode``.
    ///   - body: called with what is committed so far; throws to refuse, in which case nothing is
    ///     written. It must not touch anything but the draft, and read all it needs from there: in
    ///     a cluster it is called again when it has asked for what is not in this process, and
    ///     when others were first.
    /// - Throws: what `body` threw, ``NotCommitted`` or ``Contended``.
    package func transact<Result: Sendable>(
        tells: Bool = true, isOwnOnly: Bool = false,
        _ body: @escaping @Sendable (inout StoreDraft) throws -> Result
    ) async throws -> Result {
        try await committer.transact(ChangeMode(tells: tells, isOwnOnly: isOwnOnly), body)
    }
}

/// How a change is meant.
struct ChangeMode: Sendable {
    var tells = true
    /// Only records of this instance are read and changed: what another one owns is not there. For
    /// what the loop and the status writer do, which is nobody else's business.
    var isOwnOnly = false
}

/// Who makes drafts durable, and knows what memory does not hold.
protocol DraftCommitter: Sendable {
    func transact<Result: Sendable>(
        _ mode: ChangeMode, _ body: @escaping @Sendable (inout StoreDraft) throws -> Result
    ) async throws -> Result

    /// A record wherever it is: from memory if this instance may answer for it.
    func find(_ key: ObjectKey) async throws -> StoredObject?

    /// - Parameter name: of an object.
    func owner(of name: String) -> ShardOwner

    var isShared: Bool { get }

    /// Of the title under which this instance has the name, though it may not act at this moment.
    func epoch(of name: String) -> UInt64?
}
