import ManagerCore
import Synchronization

/// What memory may know wrongly, since a commit took effect in part or nobody can tell.
struct StoreDoubts: Sendable {
    var records: Set<ObjectKey> = []
    /// Of which header and pages are to be read again.
    var shards: Set<Int> = []

    var isEmpty: Bool { records.isEmpty && shards.isEmpty }
}

extension SoleCommitter {
    static func writtenBySomebodyElse(_ key: String) -> StateStoreError {
        StateStoreError(message: "\(key) was written by somebody else")
    }

    /// Remembers writes whose outcome is not in memory.
    func doubt(_ writes: [StoreCommit.Write]) {
        guard !writes.isEmpty else { return }
        state.withLock { state in
            for write in writes {
                switch write.target {
                case .record(let key): state.doubts.records.insert(key)
                case .header(let shard), .page(let shard, _): state.doubts.shards.insert(shard)
                // Memory knows nothing of them: they are read before they are written.
                case .revisionPage: break
                }
            }
        }
    }

    /// Brings store and memory together again before the next commit, by reading: tags are taken
    /// over, and a record of a change that was refused is put back, so that it neither blocks the
    /// next change nor comes to life with a restart.
    ///
    /// Only what this instance wrote itself is put back; anything else ends the commit.
    func settleDoubts() async throws {
        let doubts = state.withLock { $0.doubts }
        guard !doubts.isEmpty else { return }
        for shard in doubts.shards.sorted() { try await settleIndex(of: shard) }
        try await settle(doubts.records)
        state.withLock { $0.doubts = StoreDoubts() }
    }

    private func settleIndex(of shard: Int) async throws {
        let key = Shards.headerKey(shard)
        guard let entry = try await store.get(key) else {
            throw StateStoreError(message: "\(key) is gone")
        }
        let header = try RecordCodec.decodeHeader(entry.value, key: key)
        guard header.epoch == epoch else { throw Self.writtenBySomebodyElse(key) }
        let keys = (0..<header.pages).map { Shards.pageKey(shard, $0) }
        let entries = try await store.bulkGet(keys)
        let pages = try keys.map { key -> ShardIndex.Page in
            guard let entry = entries[key] else { return ShardIndex.Page() }
            return ShardIndex.Page(
                entries: Set(try RecordCodec.decodePage(entry.value, key: key)), etag: entry.etag)
        }
        memory.write { $0.indexes[shard] = ShardIndex(headerEtag: entry.etag, pages: pages) }
    }

    private func settle(_ records: Set<ObjectKey>) async throws {
        let entries = try await store.bulkGet(records.map(\.storeKey))
        for key in records.sorted(by: { $0.storeKey < $1.storeKey }) {
            guard let entry = entries[key.storeKey] else { continue }
            let wanted = memory.read { $0.object(key) }?.content
            var tag = entry.etag
            if entry.value != wanted, wanted != nil || !RecordCodec.isTombstone(entry.value) {
                tag = try await putBack(wanted, at: key, over: entry)
            }
            let settled = tag
            memory.write { $0.setEtag(settled, of: key) }
        }
    }

    /// - Returns: the new tag.
    private func putBack(
        _ wanted: [UInt8]?, at key: ObjectKey, over entry: StateEntry
    ) async throws -> String {
        guard try RecordCodec.epoch(of: entry.value, key: key.storeKey) == epoch else {
            throw Self.writtenBySomebodyElse(key.storeKey)
        }
        let outcomes = await store.write([
            StateWrite(
                key: key.storeKey, value: wanted ?? RecordCodec.tombstone(epoch: epoch),
                condition: .etag(entry.etag))
        ])
        guard case .applied(let tag)? = outcomes.first else {
            throw StateStoreError(message: "\(key.storeKey) could not be put back: \(outcomes)")
        }
        return tag
    }
}
