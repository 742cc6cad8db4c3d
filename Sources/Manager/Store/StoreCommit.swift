import ManagerCore

/// Turns a draft into ordered writes, and their outcomes back into memory.
///
/// A commit has two steps. The first makes the change: index before record on create, tombstone in
/// the place of a record on delete, pages of a revision before the record that tells of them. Once
/// it is durable the callers are answered. The second takes the names of removed records off their
/// pages; if it fails the index is a superset, which is harmless.
struct StoreCommit {
    struct Write {
        var write: StateWrite
        var target: Target
    }

    enum Target {
        case record(ObjectKey)
        case header(shard: Int)
        case page(shard: Int, page: Int)
        case revisionPage(RevisionKey)
    }

    private let draft: StoreDraft
    private let memory: MemoryTier
    /// The pages as this commit leaves them.
    private var indexes: [Int: ShardIndex] = [:]
    /// Tags of keys that memory does not hold: tombstones of names used before.
    private var tombstones: [ObjectKey: String] = [:]
    /// Tags of pages that a commit which did not come about has left.
    private var leftPages: [RevisionKey: String] = [:]

    init(draft: StoreDraft, over memory: MemoryTier) {
        self.draft = draft
        self.memory = memory
    }

    private func knownEtag(_ key: ObjectKey) -> String? {
        memory.read { $0.etag(of: key) }
    }

    /// Keys that are made, of which only the store knows whether there is a tombstone or a page.
    var keysToRead: [String] {
        draft.order.filter { knownEtag($0) == nil && draft.object($0) != nil }.map(\.storeKey)
            + draft.revisionPages.map(\.key.storeKey)
    }

    mutating func found(_ entries: [String: StateEntry]) {
        for key in draft.order {
            if let entry = entries[key.storeKey] { tombstones[key] = entry.etag }
        }
        for (key, _) in draft.revisionPages {
            if let entry = entries[key.storeKey] { leftPages[key] = entry.etag }
        }
    }

    /// The first step's writes, in the order they must be made.
    mutating func changeWrites() -> [Write] {
        var records: [Write] = []
        var pages = PageSet()
        for key in draft.order {
            let known = knownEtag(key)
            let value = draft.object(key)?.content
            if value == nil, known == nil { continue }
            if value != nil, known == nil { add(key, to: &pages) }
            records.append(
                Write(
                    write: StateWrite(
                        key: key.storeKey,
                        value: value ?? RecordCodec.tombstone(epoch: draft.epoch),
                        condition: (known ?? tombstones[key]).map { .etag($0) } ?? .absent),
                    target: .record(key)))
        }
        return indexWrites(pages) + revisionWrites() + records
    }

    private func revisionWrites() -> [Write] {
        draft.revisionPages.map { key, text in
            Write(
                write: StateWrite(
                    key: key.storeKey,
                    value: RecordCodec.revisionPage(key, epoch: draft.epoch, text: text),
                    condition: leftPages[key].map { .etag($0) } ?? .absent),
                target: .revisionPage(key))
        }
    }

    /// The second step's writes, for a commit over memory as the first step left it.
    mutating func removalWrites(_ keys: [ObjectKey]) -> [Write] {
        var pages = PageSet()
        for key in keys { remove(key, from: &pages) }
        return indexWrites(pages)
    }

    /// What the second step has to take off the pages.
    var removedKeys: [ObjectKey] { draft.order.filter { draft.object($0) == nil } }

    func install(
        _ writes: [Write], _ outcomes: [WriteOutcome], into memory: inout MemoryTier.Tables
    ) {
        for (write, outcome) in zip(writes, outcomes) {
            guard case .applied(let etag) = outcome else { continue }
            switch write.target {
            case .record(let key):
                memory.install(draft.object(key), at: key, etag: etag)
            case .header(let shard):
                memory.indexes[shard].headerEtag = etag
            case .page(let shard, let page):
                while memory.indexes[shard].pages.count <= page {
                    memory.indexes[shard].pages.append(ShardIndex.Page())
                }
                let entries = indexes[shard]?.pages[page].entries ?? []
                memory.indexes[shard].pages[page] = ShardIndex.Page(entries: entries, etag: etag)
            case .revisionPage: break
            }
        }
    }

    // MARK: Pages

    private struct PageSet {
        var headers: Set<Int> = []
        var pages: Set<PageID> = []
    }

    private struct PageID: Hashable {
        var shard: Int
        var page: Int
    }

    private mutating func add(_ key: ObjectKey, to touched: inout PageSet) {
        let shard = key.shard
        var index = indexes[shard] ?? memory.read { $0.indexes[shard] }
        // Left there by a delete whose second step failed.
        if index.page(of: key.indexEntry) != nil { return }
        let room = index.pages.firstIndex { $0.entries.count < Shards.namesPerPage }
        if room == nil {
            index.pages.append(ShardIndex.Page())
            touched.headers.insert(shard)
        }
        let page = room ?? index.pages.count - 1
        index.pages[page].entries.insert(key.indexEntry)
        touched.pages.insert(PageID(shard: shard, page: page))
        indexes[shard] = index
    }

    private mutating func remove(_ key: ObjectKey, from touched: inout PageSet) {
        let shard = key.shard
        var index = indexes[shard] ?? memory.read { $0.indexes[shard] }
        guard let page = index.page(of: key.indexEntry) else { return }
        index.pages[page].entries.remove(key.indexEntry)
        touched.pages.insert(PageID(shard: shard, page: page))
        indexes[shard] = index
    }

    /// A new page is announced in its header before it is made: an absent page is an empty one.
    private func indexWrites(_ touched: PageSet) -> [Write] {
        var writes: [Write] = []
        for shard in touched.headers.sorted() {
            guard let index = indexes[shard] else { continue }
            writes.append(
                Write(
                    write: StateWrite(
                        key: Shards.headerKey(shard),
                        value: RecordCodec.header(epoch: draft.epoch, pages: index.pages.count),
                        condition: index.headerEtag.map { .etag($0) } ?? .absent),
                    target: .header(shard: shard)))
        }
        for id in touched.pages.sorted(by: { ($0.shard, $0.page) < ($1.shard, $1.page) }) {
            guard let page = indexes[id.shard]?.pages[id.page] else { continue }
            writes.append(
                Write(
                    write: StateWrite(
                        key: Shards.pageKey(id.shard, id.page),
                        value: RecordCodec.page(
                            epoch: draft.epoch, entries: page.entries.sorted()),
                        condition: page.etag.map { .etag($0) } ?? .absent),
                    target: .page(shard: id.shard, page: id.page)))
        }
        return writes
    }
}
