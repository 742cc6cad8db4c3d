import Logging
import ManagerCore

/// The manifests of revisions. They are in the state store only, never in memory.
struct RevisionPages: Sendable {
    /// Pages of one call: together below 2 MiB.
    static let perCall = 8
    /// Pages looked for at a time when a revision goes: most have one or two.
    static let perDelete = 8

    let store: any StateStore
    let logger: Logger

    /// The manifests of a revision: one JSON document a line.
    ///
    /// - Throws: ``StateStoreError`` where the store cannot be read or a page is not there.
    func text(of set: String, _ revision: ApplySetRecord.Revision) async throws -> String {
        let isUnderDigest = revision.content?.isUnderDigest ?? false
        let keys = (0..<(revision.content?.pages ?? 0)).map {
            RevisionKey(
                set: set, revision: revision.number, page: $0,
                digest: isUnderDigest ? revision.digest : nil)
        }
        let entries = try await store.bulkGet(keys.map(\.storeKey))
        return try keys.map { key in
            guard let entry = entries[key.storeKey] else {
                throw StateStoreError(message: "\(key.storeKey) is not there")
            }
            return try RecordCodec.decodeRevisionPage(entry.value, key: key)
        }.joined()
    }

    /// Writes pages whose keys tell their content, so that it does not matter who else writes them.
    ///
    /// - Throws: ``StateStoreError`` where a page is not known to be there.
    func write(_ pages: [(key: RevisionKey, text: String)]) async throws {
        var start = 0
        while start < pages.count {
            let end = min(start + Self.perCall, pages.count)
            try await writeGroup(pages[start..<end])
            start = end
        }
    }

    private func writeGroup(_ pages: ArraySlice<(key: RevisionKey, text: String)>) async throws {
        _ = await store.write(
            pages.map { key, text in
                StateWrite(
                    key: key.storeKey,
                    value: RecordCodec.revisionPage(key, epoch: 0, text: text),
                    condition: .absent)
            })
        // What became of it is known by what stands there.
        let entries = try await store.bulkGet(pages.map(\.key.storeKey))
        for (key, text) in pages {
            guard let entry = entries[key.storeKey],
                try RecordCodec.decodeRevisionPage(entry.value, key: key) == text
            else { throw StateStoreError(message: "\(key.storeKey) could not be written") }
        }
    }

    /// Deletes the pages of a revision that was let go, those too which a change that was not
    /// committed may have left beyond the last page.
    ///
    /// - Returns: whether none is there any more.
    func delete(_ number: Int64, of set: ApplySetRecord) async -> Bool {
        await deleteAll(
            (0..<RevisionKey.maxPages).map {
                RevisionKey(set: set.name, revision: number, page: $0)
            }) != nil
    }

    /// - Returns: how many were there and are gone; `nil` if one may still be there.
    @discardableResult
    func deleteAll(_ keys: [RevisionKey]) async -> Int? {
        do {
            let entries = try await store.bulkGet(keys.map(\.storeKey))
            let outcomes = await store.write(
                entries.sorted { $0.key < $1.key }.map {
                    StateWrite(key: $0.key, value: nil, condition: .etag($0.value.etag))
                })
            let isDone = outcomes.allSatisfy { if case .applied = $0 { true } else { false } }
            return isDone ? entries.count : nil
        } catch {
            logger.debug(
                "manifests of an old revision could not be removed; they are tried again",
                metadata: [
                    "set": "\(keys.first?.set ?? "")",
                    "revision": "\(keys.first?.revision ?? 0)", "error": "\(error)",
                ])
            return nil
        }
    }

    /// Deletes the pages of a revision that was let go, whether its keys tell its digest or not.
    ///
    /// - Returns: whether none is there any more.
    func deleteUnderDigest(_ number: Int64, of set: ApplySetRecord) async -> Bool {
        let digest = set.history.first { $0.number == number }?.digest
        let forms = digest.map { [$0, nil] } ?? [nil]
        for form in forms {
            var first = 0
            while first < RevisionKey.maxPages {
                // Pages are written from the first on: where a group is not there, no later one is.
                let keys = (first..<first + Self.perDelete).map {
                    RevisionKey(set: set.name, revision: number, page: $0, digest: form)
                }
                guard let deleted = await deleteAll(keys) else { return false }
                if deleted == 0 { break }
                first += Self.perDelete
            }
        }
        return true
    }

}
