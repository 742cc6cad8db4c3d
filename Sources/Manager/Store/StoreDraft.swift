package import ManagerCore

/// What one transaction wants to change, before it is committed.
package struct StoreDraft: Sendable {
    /// The records as they are before the change.
    private let base: any DraftBase
    /// `nil` is removed.
    private(set) var connections: [String: ConnectionRecord?] = [:]
    private(set) var connectionSets: [String: ConnectionSetRecord?] = [:]
    private(set) var applySets: [String: ApplySetRecord?] = [:]
    /// In the order of the first change.
    private(set) var order: [ObjectKey] = []
    /// Manifests of new revisions, as text, in the order of their pages.
    private(set) var revisionPages: [(key: RevisionKey, text: String)] = []
    /// Of the process that is alone on its store; every record carries it. 0 in a cluster, where the
    /// owner puts the epoch of the shard beside the record.
    package let epoch: UInt64

    init(base: any DraftBase, epoch: UInt64) {
        self.base = base
        self.epoch = epoch
    }

    package func connection(_ name: String) -> ConnectionRecord? {
        if let changed = connections[name] { return changed }
        return base.connection(name)
    }

    package func connectionSet(_ name: String) -> ConnectionSetRecord? {
        if let changed = connectionSets[name] { return changed }
        return base.connectionSet(name)
    }

    package func applySet(_ name: String) -> ApplySetRecord? {
        if let changed = applySets[name] { return changed }
        return base.applySet(name)
    }

    package mutating func put(_ record: ConnectionRecord) {
        note(.connection(record.desired.name), isNew: connections[record.desired.name] == nil)
        var record = record
        record.epoch = epoch
        connections[record.desired.name] = .some(record)
    }

    package mutating func put(_ record: ConnectionSetRecord) {
        note(.connectionSet(record.name), isNew: connectionSets[record.name] == nil)
        var record = record
        record.epoch = epoch
        connectionSets[record.name] = .some(record)
    }

    package mutating func put(_ record: ApplySetRecord) {
        note(.applySet(record.name), isNew: applySets[record.name] == nil)
        var record = record
        record.epoch = epoch
        applySets[record.name] = .some(record)
    }

    /// Keeps the manifests of a revision whose number is in the set's record.
    ///
    /// - Returns: what that record says of them.
    mutating func put(
        revision number: Int64, digest: String, of set: String, pages: [String]
    ) -> ApplySetRecord.Content {
        let content = ApplySetRecord.Content(
            pages: pages.count, bytes: pages.reduce(0) { $0 + $1.utf8.count },
            isUnderDigest: base.keepsPagesUnderDigest)
        for (page, text) in pages.enumerated() {
            let key = RevisionKey(
                set: set, revision: number, page: page,
                digest: content.isUnderDigest ? digest : nil)
            revisionPages.append((key, text))
        }
        return content
    }

    package mutating func removeConnection(_ name: String) {
        note(.connection(name), isNew: connections[name] == nil)
        connections[name] = .some(nil)
    }

    package mutating func removeConnectionSet(_ name: String) {
        note(.connectionSet(name), isNew: connectionSets[name] == nil)
        connectionSets[name] = .some(nil)
    }

    private mutating func note(_ key: ObjectKey, isNew: Bool) {
        if isNew { order.append(key) }
    }

    /// The uid of an object that this change makes: the one it drew before, if it is being made
    /// again because something else of it was refused.
    func uid(
        ofNew key: ObjectKey, _ draw: () -> ConnectionUID
    ) -> ConnectionUID {
        base.uid(ofNew: key) ?? draw()
    }

    /// As the change leaves it; `nil` if there is none then.
    func object(_ key: ObjectKey) -> StoredObject? {
        switch key {
        case .connection(let name): connection(name).map { .connection($0) }
        case .connectionSet(let name): connectionSet(name).map { .connectionSet($0) }
        case .applySet(let name): applySet(name).map { .applySet($0) }
        }
    }
}
