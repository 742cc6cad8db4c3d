import Manager

/// A part of a store that nobody has written to before.
struct FreshKeys: StateStore {
    private let store: any StateStore
    private let prefix = "probe/\(UInt64.random(in: .min ... .max))/"

    init(_ store: any StateStore) {
        self.store = store
    }

    func get(_ key: String) async throws(StateStoreError) -> StateEntry? {
        try await store.get(prefix + key)
    }

    func bulkGet(_ keys: [String]) async throws(StateStoreError) -> [String: StateEntry] {
        let entries = try await store.bulkGet(keys.map { prefix + $0 })
        return Dictionary(
            uniqueKeysWithValues: entries.map { (String($0.key.dropFirst(prefix.count)), $0.value) }
        )
    }

    func write(_ writes: [StateWrite]) async -> [WriteOutcome] {
        await store.write(
            writes.map { write in
                var write = write
                write.key = prefix + write.key
                return write
            })
    }
}
