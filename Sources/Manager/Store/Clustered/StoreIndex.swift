import ManagerCore

/// Reads what stands in the store of a cluster, for objects that no instance has in memory.
struct StoreIndex: StoredObjects {
    let store: any StateStore
    private var reads: ClusterReads { ClusterReads(store: store) }

    init(store: any StateStore) {
        self.store = store
    }

    func entries(ofShards shards: Set<Int>) async throws -> [ObjectKey] {
        let headers = try await values(shards.sorted().map { .header($0) })
        var pages: [ClusterKey] = []
        for case (.header(let shard), .header(let header)) in headers {
            pages += (0..<header.pages).map { .page(shard: shard, page: $0) }
        }
        return try await values(pages).flatMap { _, value -> [ObjectKey] in
            guard case .page(let page) = value else { return [] }
            return page.names.sorted().map { ObjectKey(indexEntry: $0) }
        }
    }

    private func values(_ keys: [ClusterKey]) async throws -> [(ClusterKey, ClusterValue)] {
        var found: [(ClusterKey, ClusterValue)] = []
        var start = 0
        while start < keys.count {
            let end = min(start + ClusterReads.perCall, keys.count)
            let part = Array(keys[start..<end])
            let entries = try await store.bulkGet(part.map(ClusterCodec.storeKey))
            for key in part {
                guard let entry = entries[ClusterCodec.storeKey(key)] else { continue }
                found.append((key, try ClusterCodec.decode(key, entry.value)))
            }
            start = end
        }
        return found
    }

    func connections(_ names: [String]) async throws -> [ConnectionRecord] {
        try await reads.read(Set(names.map { .connection($0) })).values.compactMap {
            guard case .connection(let record)? = $0.object else { return nil }
            return record
        }
    }

    func connectionSets(_ names: [String]) async throws -> [ConnectionSetRecord] {
        try await reads.read(Set(names.map { .connectionSet($0) })).values.compactMap {
            guard case .connectionSet(let record)? = $0.object else { return nil }
            return record
        }
    }
}
