/// Counts the calls to a state store.
struct MeteredStateStore: StateStore {
    let store: any StateStore
    let metrics: ManagerMetrics

    func get(_ key: String) async throws(StateStoreError) -> StateEntry? {
        do throws(StateStoreError) {
            let entry = try await store.get(key)
            count(.get, .ok)
            return entry
        } catch {
            count(.get, .error)
            throw error
        }
    }

    func bulkGet(_ keys: [String]) async throws(StateStoreError) -> [String: StateEntry] {
        do throws(StateStoreError) {
            let entries = try await store.bulkGet(keys)
            count(.bulkGet, .ok)
            return entries
        } catch {
            count(.bulkGet, .error)
            throw error
        }
    }

    /// One call is one operation; the worst of its outcomes is its result.
    func write(_ writes: [StateWrite]) async -> [WriteOutcome] {
        let outcomes = await store.write(writes)
        var result = StoreOperation.Result.ok
        for outcome in outcomes {
            switch outcome {
            case .applied: break
            case .conflict: if result == .ok { result = .conflict }
            case .unknown: result = .error
            }
        }
        count(.write, result)
        return outcomes
    }

    private func count(_ kind: StoreOperation.Kind, _ result: StoreOperation.Result) {
        metrics.storeOperations.add(StoreOperation(kind: kind, result: result))
    }
}
