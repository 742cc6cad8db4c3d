package import Logging
package import ManagerCore
import Spec

extension TwoTierStore {
    /// Claims the shards of a store that nobody else writes, and reads every record.
    ///
    /// The new epoch is above every one the store has seen and at least the Unix time in seconds,
    /// so that it rises even over a store that was emptied. Records of Connects that were never
    /// answered are removed: their callers were told nothing.
    ///
    /// - Throws: ``StateStoreError`` if the store cannot be read or claimed, or holds what this
    ///   version cannot read.
    package static func open(
        _ store: any StateStore, now: WallTime, logger: Logger,
        onChange: @escaping @Sendable ([ObjectKey]) -> Void,
        onCommit: @escaping @Sendable (NotCommitted?) -> Void = { _ in }
    ) async throws -> TwoTierStore {
        try await claimMeta(store)
        var tables = MemoryTier.Tables()
        let epoch = try await claimHeaders(store, now: now, tables: &tables)
        try await loadPages(store, tables: &tables)
        let unanswered = try await loadRecords(store, tables: &tables)
        let memory = MemoryTier(tables)
        let committer = SoleCommitter(
            store: store, memory: memory, epoch: epoch, logger: logger, onChange: onChange,
            onCommit: onCommit)
        let opened = TwoTierStore(
            memory: memory, committer: committer, pages: committer.pages, epoch: epoch)
        if !unanswered.isEmpty {
            try await opened.transact { draft in
                for name in unanswered { draft.removeConnection(name) }
            }
        }
        await committer.tidyRevisions(of: opened.applySetNames().map { .applySet($0) })
        return opened
    }

    private static func claimMeta(_ store: any StateStore) async throws {
        _ = await store.write([
            StateWrite(
                key: Shards.metaKey, value: RecordCodec.meta(), condition: .absent)
        ])
        guard let entry = try await store.get(Shards.metaKey) else {
            throw StateStoreError(message: "the state store did not keep \(Shards.metaKey)")
        }
        try RecordCodec.checkMeta(entry.value)
    }

    private static func claimHeaders(
        _ store: any StateStore, now: WallTime, tables: inout MemoryTier.Tables
    ) async throws -> UInt64 {
        let keys = (0..<Shards.count).map(Shards.headerKey)
        let entries = try await store.bulkGet(keys)
        var epoch = UInt64(max(1, now.nanosecondsSinceEpoch / 1_000_000_000))
        for (shard, key) in keys.enumerated() {
            guard let entry = entries[key] else { continue }
            let header = try RecordCodec.decodeHeader(entry.value, key: key)
            epoch = max(epoch, header.epoch + 1)
            tables.indexes[shard].pages = Array(repeating: .init(), count: header.pages)
        }
        let writes = keys.enumerated().map { shard, key in
            StateWrite(
                key: key,
                value: RecordCodec.header(
                    epoch: epoch, pages: tables.indexes[shard].pages.count),
                condition: entries[key].map { .etag($0.etag) } ?? .absent)
        }
        for (shard, outcome) in await store.write(writes).enumerated() {
            guard case .applied(let etag) = outcome else {
                throw StateStoreError(
                    message: "\(keys[shard]) could not be claimed: \(outcome)")
            }
            tables.indexes[shard].headerEtag = etag
        }
        return epoch
    }

    private static func loadPages(
        _ store: any StateStore, tables: inout MemoryTier.Tables
    ) async throws {
        let ids = tables.indexes.indices.flatMap { shard in
            tables.indexes[shard].pages.indices.map { (shard, $0) }
        }
        let entries = try await store.bulkGet(ids.map { Shards.pageKey($0.0, $0.1) })
        for (shard, page) in ids {
            let key = Shards.pageKey(shard, page)
            guard let entry = entries[key] else { continue }
            tables.indexes[shard].pages[page] = ShardIndex.Page(
                entries: Set(try RecordCodec.decodePage(entry.value, key: key)),
                etag: entry.etag)
        }
    }

    /// - Returns: names of connections whose Connect was never answered.
    private static func loadRecords(
        _ store: any StateStore, tables: inout MemoryTier.Tables
    ) async throws -> [String] {
        let keys = tables.indexes.flatMap { index in
            index.pages.flatMap { $0.entries.map(ObjectKey.init(indexEntry:)) }
        }
        var unanswered: [String] = []
        let entries = try await store.bulkGet(keys.map(\.storeKey))
        for key in keys {
            guard let entry = entries[key.storeKey],
                !RecordCodec.isTombstone(entry.value)
            else { continue }
            let etag = entry.etag
            switch key {
            case .connection(let name):
                let record = try RecordCodec.decodeConnection(entry.value, key: key.storeKey)
                tables.install(.connection(record), at: key, etag: etag)
                if record.desired.isProvisional { unanswered.append(name) }
            case .connectionSet:
                let record = try RecordCodec.decodeConnectionSet(entry.value, key: key.storeKey)
                tables.install(.connectionSet(record), at: key, etag: etag)
            case .applySet:
                let record = try RecordCodec.decodeApplySet(entry.value, key: key.storeKey)
                tables.install(.applySet(record), at: key, etag: etag)
            }
        }
        return unanswered
    }
}
