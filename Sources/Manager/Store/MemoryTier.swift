import ManagerCore
import Reconciler
import Spec
import Synchronization

/// A record and the tag it was last written or read under.
///
/// The record is outside: a table of 100,000 has room for many that are not there.
struct Stored<Record: Sendable & Hashable>: Sendable, Hashable {
    private var shared: Shared<Record>
    var etag: String

    init(record: Record, etag: String) {
        shared = Shared(record)
        self.etag = etag
    }

    var record: Record {
        get { shared.value }
        set { shared = Shared(newValue) }
    }
}

/// The memory tier: every record of this instance, and its index pages.
///
/// Anybody reads. Of a process that is alone on its store only the one committer writes: so what a
/// draft reads through ``read(_:)`` stays true until its commit, without a copy of the tables. In a
/// cluster ``ClusterMemory`` writes, as the node says.
final class MemoryTier: Sendable {
    struct Tables: Sendable {
        private(set) var connections: [String: Stored<ConnectionRecord>] = [:]
        /// Of every one of ``connections``, apart from them: a resync reads all of it.
        private(set) var facts = DesiredTable()
        var connectionSets: [String: Stored<ConnectionSetRecord>] = [:]
        var applySets: [String: Stored<ApplySetRecord>] = [:]
        var indexes = Array(repeating: ShardIndex(), count: Shards.count)
        /// The shards that this instance owns in a cluster; empty without one.
        var owned: [Int: OwnedShard] = [:]
        /// What the connections have in common is kept once.
        private var settings = SharedValues<ConnectionSpec.Settings>()
        private var provenances = SharedValues<DesiredConnection.Provenance>()

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

        func object(_ key: ObjectKey) -> StoredObject? {
            switch key {
            case .connection(let name): connections[name].map { .connection($0.record) }
            case .connectionSet(let name): connectionSets[name].map { .connectionSet($0.record) }
            case .applySet(let name): applySets[name].map { .applySet($0.record) }
            }
        }

        /// - Parameters:
        ///   - object: what the key holds now; `nil` for nothing.
        ///   - etag: its tag; empty in a cluster, where the node keeps it.
        mutating func install(_ object: StoredObject?, at key: ObjectKey, etag: String) {
            switch key {
            case .connection(let name):
                if case .connection(var record)? = object {
                    record.desired.share(settings: &settings, provenances: &provenances)
                    connections[name] = Stored(record: record, etag: etag)
                    facts[name] = DesiredFacts(record.desired)
                } else {
                    connections[name] = nil
                    facts[name] = nil
                }
            case .connectionSet(let name):
                if case .connectionSet(let record)? = object {
                    connectionSets[name] = Stored(record: record, etag: etag)
                } else {
                    connectionSets[name] = nil
                }
            case .applySet(let name):
                if case .applySet(let record)? = object {
                    applySets[name] = Stored(record: record, etag: etag)
                } else {
                    applySets[name] = nil
                }
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

/// What this instance owns under one title of a cluster.
struct OwnedShard: Sendable {
    let gate: ShardGate
    /// Life and revision of every record that is live there, those that memory does not show too.
    var versions: [ObjectKey: RecordChange.Base] = [:]
}
