import GRDB
import TestKit
import Testing

@testable import Manager

@Suite struct SQLiteStateStoreTests {
    private func pragma(_ name: String, of store: SQLiteStateStore) async throws -> String {
        try await store.database.write { database in
            try String.fetchOne(database, sql: "PRAGMA \(name)") ?? ""
        }
    }

    @Test func anAcknowledgedWriteIsOnTheDisk() async throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteStateStore(path: directory.path + "/state.sqlite")
        #expect(try await pragma("journal_mode", of: store) == "wal")
        #expect(try await pragma("synchronous", of: store) == "2", "2 is FULL")
        try store.close()
    }

    @Test func aClosedStoreIsWholeInOneFile() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/state.sqlite"
        let first = try SQLiteStateStore(path: path)
        _ = await first.write([StateWrite(key: "a", value: [1], condition: .absent)])
        #expect(try await first.get("a")?.value == [1])
        try first.close()
        let copy = try TemporaryDirectory()
        try copyFile(path, to: copy.path + "/state.sqlite")
        let second = try SQLiteStateStore(path: copy.path + "/state.sqlite")
        #expect(try await second.get("a")?.value == [1])
        try second.close()
    }

    @Test(arguments: 1...10) func severalMayMakeASharedFileAtOnce(_: Int) async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/state.sqlite"
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask {
                    let store = try SQLiteStateStore(path: path, isShared: true)
                    _ = await store.write([
                        StateWrite(key: "k\(number)", value: [1], condition: .absent)
                    ])
                    #expect(try await store.get("k\(number)")?.value == [1])
                    try store.close()
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aFileThatIsNoDatabaseIsNamedWithAWayOut() throws {
        let directory = try TemporaryDirectory()
        try directory.write("this is no database", to: "state.sqlite")
        do {
            _ = try SQLiteStateStore(path: directory.path + "/state.sqlite")
            Issue.record("text was taken for a database")
        } catch let error as StateStoreError {
            #expect(
                error.message.hasPrefix(
                    "the state database \(directory.path)/state.sqlite cannot be opened: "
                        + "file is not a database; "))
        }
    }

    @Test func everythingSurvivesAReopen() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/state.sqlite"
        let first = try SQLiteStateStore(path: path)
        let writes = (0..<50).map {
            StateWrite(key: "key/\($0)", value: [UInt8($0)], condition: .absent)
        }
        let outcomes = await first.write(writes)
        try first.close()

        let second = try SQLiteStateStore(path: path)
        let entries = try await second.bulkGet(writes.map(\.key))
        #expect(entries.count == 50)
        for (write, outcome) in zip(writes, outcomes) {
            guard case .applied(let tag) = outcome else {
                Issue.record("\(write.key): \(outcome)")
                continue
            }
            #expect(entries[write.key] == StateEntry(value: write.value ?? [], etag: tag))
        }
        let replaced = await second.write([
            StateWrite(
                key: "key/1", value: [9], condition: .etag(entries["key/1"]?.etag ?? ""))
        ])
        #expect(replaced == [.applied(etag: "2")])
        try second.close()
    }

    /// A process that is killed leaves its write-ahead log behind.
    @Test func aStoreThatWasNeverClosedIsReadWhole() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/state.sqlite"
        let first = try SQLiteStateStore(path: path)
        _ = await first.write([StateWrite(key: "a", value: [1], condition: .absent)])
        let copy = try TemporaryDirectory()
        for suffix in ["", "-wal"] {
            try copyFile(path + suffix, to: copy.path + "/state.sqlite" + suffix)
        }
        let second = try SQLiteStateStore(path: copy.path + "/state.sqlite")
        #expect(try await second.get("a")?.value == [1])
        try second.close()
        try first.close()
    }

    @Test func callersThatShareACommitGetTheirOwnOutcomes() async throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteStateStore(path: directory.path + "/state.sqlite")
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let outcomes = await store.write([
                        StateWrite(key: "g/\(number)", value: [1], condition: .absent),
                        StateWrite(key: "g/\(number)", value: [2], condition: .etag("1")),
                        StateWrite(key: "g/\(number)", value: [3], condition: .absent),
                        StateWrite(key: "g/\(number)", value: [4], condition: .etag("2")),
                    ])
                    #expect(
                        outcomes
                            == [
                                .applied(etag: "1"), .applied(etag: "2"), .conflict,
                                .applied(etag: "3"),
                            ])
                }
            }
        }
        let entries = try await store.bulkGet((0..<300).map { "g/\($0)" })
        #expect(entries.count == 300)
        #expect(entries.values.allSatisfy { $0.value == [4] && $0.etag == "3" })
        try store.close()
    }

    @Test func moreWritesThanOneTransactionTakesStillGoThrough() async throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteStateStore(path: directory.path + "/state.sqlite")
        let count = SQLiteStateStore.writesPerTransaction + 500
        async let big = store.write(
            (0..<count).map { StateWrite(key: "b/\($0)", value: [1], condition: .absent) })
        async let small = store.write([
            StateWrite(key: "small", value: [1], condition: .absent)
        ])
        #expect(await big == Array(repeating: .applied(etag: "1"), count: count))
        #expect(await small == [.applied(etag: "1")])
        try store.close()
    }

    @Test func aStoreThatCannotBeWrittenSaysUnknownAndReadsFail() async throws {
        let directory = try TemporaryDirectory()
        let store = try SQLiteStateStore(path: directory.path + "/state.sqlite")
        try store.close()
        let outcomes = await store.write([
            StateWrite(key: "a", value: [1], condition: .absent)
        ])
        guard case .unknown(let sentence)? = outcomes.first else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(sentence.contains("cannot be written"))
        await #expect(throws: StateStoreError.self) { try await store.get("a") }
    }
}
