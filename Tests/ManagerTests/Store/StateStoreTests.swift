import Manager
import TestKit
import Testing

/// Every implementation of the port keeps the one contract.
@Suite struct StateStoreTests {
    @Test func theStoreInMemoryKeepsTheContract() async throws {
        try await StateStoreConformance.checkAll(InMemoryStateStore())
    }

    @Test func theSQLiteStoreKeepsTheContract() async throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteStateStore(path: directory.path + "/state.sqlite")
        try await StateStoreConformance.checkAll(store)
        try store.close()
    }
}
