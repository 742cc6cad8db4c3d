package import Logging
package import ManagerCore

extension TwoTierStore {
    /// The store of a member of a cluster, and what ties it to the node.
    package struct Clustered: Sendable {
        package let store: TwoTierStore
        /// What the node tells of its records.
        package let memory: any ShardMemory
        private let committer: ClusterCommitter

        fileprivate init(
            store: TwoTierStore, memory: any ShardMemory, committer: ClusterCommitter
        ) {
            self.store = store
            self.memory = memory
            self.committer = committer
        }

        /// Whom to ask for changes. Before this none can be made.
        package func join(_ cluster: any Cluster) { committer.join(cluster) }
    }

    /// Memory holds nothing until the node takes up shards.
    ///
    /// - Parameters:
    ///   - epoch: names this life of the process.
    ///   - onChange: told the keys of records of this instance that came, changed or went,
    ///     whoever changed them, after memory has them. A change of a status is not told.
    ///   - onCommit: told of changes that are in effect, and of those that the state store failed.
    package static func clustered(
        _ store: any StateStore, epoch: UInt64, logger: Logger,
        onChange: @escaping @Sendable ([ObjectKey]) -> Void,
        onCommit: @escaping @Sendable (NotCommitted?) -> Void = { _ in }
    ) -> Clustered {
        clustered(
            store, epoch: epoch, logger: logger, patience: .init(), onChange: onChange,
            onCommit: onCommit)
    }

    static func clustered(
        _ store: any StateStore, epoch: UInt64, logger: Logger,
        patience: ClusterCommitter.Patience,
        onChange: @escaping @Sendable ([ObjectKey]) -> Void,
        onCommit: @escaping @Sendable (NotCommitted?) -> Void = { _ in }
    ) -> Clustered {
        let memory = MemoryTier()
        let connects = OpenConnects()
        let committer = ClusterCommitter(
            store: store, memory: memory, connects: connects, patience: patience, logger: logger,
            onCommit: onCommit)
        let shards = ClusterMemory(
            memory: memory, connects: connects, logger: logger, onChange: onChange,
            onUnanswered: { committer.remove($0, $1, $2) })
        let opened = TwoTierStore(
            memory: memory, committer: committer,
            pages: RevisionPages(store: store, logger: logger), epoch: epoch)
        return Clustered(store: opened, memory: shards, committer: committer)
    }
}
