import ManagerCore

/// Reads records that are not in this process from the state store.
struct ClusterReads: Sendable {
    /// Keys of one call: what a sidecar takes at once without trouble.
    static let perCall = 100
    /// Calls under way at one time.
    static let atOnce = 8

    let store: any StateStore

    /// An answer for every key.
    ///
    /// - Throws: ``StateStoreError``.
    func read(_ keys: Set<ObjectKey>) async throws -> [ObjectKey: SeenRecord] {
        let keys = Array(keys)
        return try await withThrowingTaskGroup(of: [ObjectKey: SeenRecord].self) { group in
            var start = 0
            var all: [ObjectKey: SeenRecord] = [:]
            while start < keys.count {
                let end = min(start + Self.perCall, keys.count)
                let part = Array(keys[start..<end])
                if start >= Self.perCall * Self.atOnce, let some = try await group.next() {
                    all.merge(some) { $1 }
                }
                group.addTask { try await readPart(part) }
                start = end
            }
            for try await some in group { all.merge(some) { $1 } }
            return all
        }
    }

    private func readPart(_ keys: [ObjectKey]) async throws -> [ObjectKey: SeenRecord] {
        let entries = try await store.bulkGet(keys.map(\.storeKey))
        var found: [ObjectKey: SeenRecord] = [:]
        for key in keys {
            let entry = entries[key.storeKey]
            found[key] = try entry.map { try Self.decode($0.value, key) } ?? .nothing
        }
        return found
    }

    private static func decode(_ bytes: [UInt8], _ key: ObjectKey) throws -> SeenRecord {
        let record = try ClusterCodec.record(bytes, key: key.storeKey)
        return SeenRecord(
            object: record.isTombstone ? nil : try StoredObject(key, content: record.content),
            base: RecordChange.Base(uid: record.uid, revision: record.revision))
    }
}
