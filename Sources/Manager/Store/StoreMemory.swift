package import ManagerCore
import Synchronization

/// A record and the tag it was last written or read under.
struct Stored<Record: Sendable & Hashable>: Sendable, Hashable {
    var record: Record
    var etag: String
}

/// The memory tier: every record of this instance, and its index pages.
///
/// Anybody reads; only the store's one committer writes. So what a draft reads through ``read(_:)``
/// stays true until its commit, without a copy of the tables.
final class MemoryTier: Sendable {
    struct Tables: Sendable {
        var connections: [String: Stored<ConnectionRecord>] = [:]
        var connectionSets: [String: Stored<ConnectionSetRecord>] = [:]
        var applySets: [String: Stored<ApplySetRecord>] = [:]
        var indexes = Array(repeating: ShardIndex(), count: Shards.count)

        func etag(of key: ObjectKey) -> String? {
            switch key {
            case .connection(let name): connections[name]?.etag
            case .connectionSet(let name): connectionSets[name]?.etag
            case .applySet(let name): applySets[name]?.etag
            }
        }

        mutating func setEtag(_ etag: String, of key: ObjectKey) {
            switch key {
            case .connection(let name): connections[name]?.etag = etag
            case .connectionSet(let name): connectionSets[name]?.etag = etag
            case .applySet(let name): applySets[name]?.etag = etag
            }
        }

        /// The record's bytes as they should stand in the store; `nil` if there is none.
        func encoded(_ key: ObjectKey) -> [UInt8]? {
            switch key {
            case .connection(let name): connections[name].map { RecordCodec.encode($0.record) }
            case .connectionSet(let name):
                connectionSets[name].map { RecordCodec.encode($0.record) }
            case .applySet(let name): applySets[name].map { RecordCodec.encode($0.record) }
            }
        }
    }

    private let tables: Mutex<Tables>

    init(_ tables: Tables = Tables()) {
        self.tables = Mutex(tables)
    }

    func read<Result: Sendable>(_ body: (borrowing Tables) throws -> Result) rethrows -> Result {
        try tables.withLock { try body($0) }
    }

    func write(_ body: (inout Tables) -> Void) {
        tables.withLock { body(&$0) }
    }
}

/// The index of one shard: its header's tag and its pages.
struct ShardIndex: Sendable {
    struct Page: Sendable {
        /// Sorted, so that the same content is the same bytes.
        var entries: Set<String> = []
        /// `nil`: not in the store yet.
        var etag: String?
    }

    var headerEtag: String?
    var pages: [Page] = []

    func page(of entry: String) -> Int? {
        pages.firstIndex { $0.entries.contains(entry) }
    }
}

/// What one transaction wants to change, before it is committed.
package struct StoreDraft: Sendable {
    let base: MemoryTier
    /// `nil` is removed.
    private(set) var connections: [String: ConnectionRecord?] = [:]
    private(set) var connectionSets: [String: ConnectionSetRecord?] = [:]
    private(set) var applySets: [String: ApplySetRecord?] = [:]
    /// In the order of the first change.
    private(set) var order: [ObjectKey] = []
    /// Manifests of new revisions, as text, in the order of their pages.
    private(set) var revisionPages: [(key: RevisionKey, text: String)] = []
    /// Of this instance; every record carries it.
    package let epoch: UInt64

    init(base: MemoryTier, epoch: UInt64) {
        self.base = base
        self.epoch = epoch
    }

    package func connection(_ name: String) -> ConnectionRecord? {
        if let changed = connections[name] { return changed }
        return base.read { $0.connections[name]?.record }
    }

    package func connectionSet(_ name: String) -> ConnectionSetRecord? {
        if let changed = connectionSets[name] { return changed }
        return base.read { $0.connectionSets[name]?.record }
    }

    package func applySet(_ name: String) -> ApplySetRecord? {
        if let changed = applySets[name] { return changed }
        return base.read { $0.applySets[name]?.record }
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
    mutating func put(revision number: Int64, of set: String, pages: [String]) {
        for (page, text) in pages.enumerated() {
            revisionPages.append((RevisionKey(set: set, revision: number, page: page), text))
        }
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

    /// False if the change removes it.
    func isPresent(_ key: ObjectKey) -> Bool {
        switch key {
        case .connection(let name): connection(name) != nil
        case .connectionSet(let name): connectionSet(name) != nil
        case .applySet(let name): applySet(name) != nil
        }
    }

    /// The record's bytes after the change; `nil` if it is removed.
    func encoded(_ key: ObjectKey) -> [UInt8]? {
        switch key {
        case .connection(let name):
            (connections[name] ?? nil).map(RecordCodec.encode)
        case .connectionSet(let name):
            (connectionSets[name] ?? nil).map(RecordCodec.encode)
        case .applySet(let name):
            (applySets[name] ?? nil).map(RecordCodec.encode)
        }
    }

    /// Puts one committed change into memory.
    func install(_ key: ObjectKey, etag: String, into memory: inout MemoryTier.Tables) {
        switch key {
        case .connection(let name):
            memory.connections[name] = (connections[name] ?? nil).map {
                Stored(record: $0, etag: etag)
            }
        case .connectionSet(let name):
            memory.connectionSets[name] = (connectionSets[name] ?? nil).map {
                Stored(record: $0, etag: etag)
            }
        case .applySet(let name):
            memory.applySets[name] = (applySets[name] ?? nil).map {
                Stored(record: $0, etag: etag)
            }
        }
    }
}
