import Logging
import ManagerCore

// MARK: The manifests of revisions. They are in the store only, never in memory.

extension TwoTierStore {
    /// The manifests of a revision: one JSON document a line.
    ///
    /// - Throws: ``StateStoreError`` where the store cannot be read or a page is not there.
    func revisionText(of set: String, _ revision: ApplySetRecord.Revision) async throws -> String {
        let keys = (0..<(revision.content?.pages ?? 0)).map {
            RevisionKey(set: set, revision: revision.number, page: $0)
        }
        let entries = try await store.bulkGet(keys.map(\.storeKey))
        return try keys.map { key in
            guard let entry = entries[key.storeKey] else {
                throw StateStoreError(message: "\(key.storeKey) is not there")
            }
            return try RecordCodec.decodeRevisionPage(entry.value, key: key)
        }.joined()
    }

    /// Deletes the pages of revisions that were let go. What fails is tried again with the next
    /// change of the set, and at the next start: the set's record names them until then.
    func tidyRevisions(of keys: [ObjectKey]) async {
        for case .applySet(let set) in keys {
            for number in applySet(set)?.dropped.sorted() ?? [] {
                guard await deletePages(of: set, number) else { continue }
                memory.write { _ = $0.applySets[set]?.record.dropped.remove(number) }
            }
        }
    }

    /// Also what a change that was not committed may have left beyond the last page.
    ///
    /// - Returns: whether none is there any more.
    private func deletePages(of set: String, _ number: Int64) async -> Bool {
        let keys = (0..<RevisionKey.maxPages).map {
            RevisionKey(set: set, revision: number, page: $0).storeKey
        }
        do {
            let entries = try await store.bulkGet(keys)
            let outcomes = await store.write(
                entries.sorted { $0.key < $1.key }.map {
                    StateWrite(key: $0.key, value: nil, condition: .etag($0.value.etag))
                })
            return outcomes.allSatisfy { if case .applied = $0 { true } else { false } }
        } catch {
            logger.debug(
                "manifests of an old revision could not be removed; they are tried again",
                metadata: ["set": "\(set)", "revision": "\(number)", "error": "\(error)"])
            return false
        }
    }
}
