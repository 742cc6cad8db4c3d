import Foundation
import GRDB
import Synchronization

/// The embedded state store: one table in one SQLite file.
///
/// A write that is answered with `applied` is on the disk (WAL, `synchronous=FULL`). Writes that
/// come in while one transaction commits share the next one, so that many callers pay for one
/// `fsync`. The data directory is locked by ``DataDirectoryLock``: nobody else writes, or only
/// processes that share the file as members of one cluster.
package final class SQLiteStateStore: StateStore {
    /// Writes that share one transaction: enough to spread an `fsync` over, few enough that a
    /// transaction stays in the tens of milliseconds.
    static let writesPerTransaction = 2_000

    /// The tests read its pragmas.
    let database: DatabasePool
    private let queue = Mutex(Pending())

    private struct Pending {
        var groups: [Group] = []
        var isWriting = false
        /// Writes since SQLite let go of its pages.
        var sinceShrunk = 0
    }

    private struct Group: Sendable {
        var writes: [StateWrite]
        var answer: CheckedContinuation<[WriteOutcome], Never>
    }

    /// How long a process waits for another one's transaction, where several share the file: less
    /// than the deadline of a store call in a cluster, and far above what a commit takes.
    static let busyTimeout: Double = 1

    /// How long a process tries to open a file that others are making at the same moment, and the
    /// pause between two tries in seconds: while one turns WAL on, SQLite lets nobody wait for it.
    static let openLimit: Duration = .seconds(10)
    static let openPause = 0.02

    /// Other processes of this machine have the file open too.
    private let isShared: Bool

    /// - Parameters:
    ///   - path: of the database file; made if it is not there.
    ///   - isShared: other processes of this machine write it too.
    /// - Throws: ``StateStoreError``.
    package init(path: String, isShared: Bool = false) throws {
        self.isShared = isShared
        do {
            database = try Self.openPatiently(path, isShared: isShared)
        } catch {
            let reason = (error as? DatabaseError)?.message ?? "\(error)"
            throw StateStoreError(
                message: "the state database \(path) cannot be opened: \(reason); mend it, put a "
                    + "backup in its place, or move it away to begin with nothing")
        }
    }

    private static func openPatiently(_ path: String, isShared: Bool) throws -> DatabasePool {
        let deadline = ContinuousClock.now.advanced(by: openLimit)
        while true {
            do {
                return try open(path, isShared: isShared)
            } catch let error as DatabaseError
                where isShared && error.resultCode == .SQLITE_BUSY && .now < deadline
            {
                Thread.sleep(forTimeInterval: openPause)
            }
        }
    }

    private static func open(_ path: String, isShared: Bool) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.maximumReaderCount = 4
        // A transaction that writes takes the lock as it begins, so that being busy always means
        // that nothing was written.
        configuration.busyMode = isShared ? .timeout(busyTimeout) : .immediateError
        let database = try DatabasePool(path: path, configuration: configuration)
        // After the pool is made: turning WAL on, it sets `synchronous` to NORMAL.
        try database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
        try database.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS state (
                        key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL, etag INTEGER NOT NULL
                    ) WITHOUT ROWID
                    """)
        }
        return database
    }

    /// Leaves everything in the one file, so that a copy of it alone is whole.
    package func close() throws {
        // The last one that has the file open moves it together.
        guard !isShared else { return try database.close() }
        let moved = Result {
            try database.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        }
        try database.close()
        try moved.get()
    }

    package func get(_ key: String) async throws(StateStoreError) -> StateEntry? {
        try await bulkGet([key])[key]
    }

    package func bulkGet(_ keys: [String]) async throws(StateStoreError) -> [String: StateEntry] {
        do {
            return try await database.read { database in
                let statement = try database.cachedStatement(
                    sql: "SELECT value, etag FROM state WHERE key = ?")
                var entries: [String: StateEntry] = [:]
                for key in keys {
                    if let row = try Row.fetchOne(statement, arguments: [key]) {
                        entries[key] = StateEntry(
                            value: [UInt8](row[0] as Data), etag: String(row[1] as Int64))
                    }
                }
                return entries
            }
        } catch {
            throw StateStoreError(message: "the state database cannot be read: \(error)")
        }
    }

    package func write(_ writes: [StateWrite]) async -> [WriteOutcome] {
        guard !writes.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            let starts = queue.withLock { pending in
                pending.groups.append(Group(writes: writes, answer: continuation))
                defer { pending.isWriting = true }
                return !pending.isWriting
            }
            if starts { writeNext() }
        }
    }

    /// Commits the groups that are waiting, then asks again.
    private func writeNext() {
        let groups = queue.withLock { pending -> [Group] in
            var count = 0
            var taken = 0
            for group in pending.groups {
                if taken > 0, count + group.writes.count > Self.writesPerTransaction { break }
                count += group.writes.count
                taken += 1
            }
            let groups = Array(pending.groups.prefix(taken))
            pending.groups.removeFirst(taken)
            if groups.isEmpty { pending.isWriting = false }
            return groups
        }
        guard !groups.isEmpty else { return }
        database.asyncWrite(
            { database in try groups.map { try Self.perform($0.writes, in: database) } },
            completion: { _, result in
                for (index, group) in groups.enumerated() {
                    switch result {
                    case .success(let outcomes):
                        group.answer.resume(returning: outcomes[index])
                    case .failure(let error):
                        group.answer.resume(returning: Self.failed(error, group.writes.count))
                    }
                }
                self.wrote(groups.reduce(0) { $0 + $1.writes.count })
                self.writeNext()
            })
    }

    /// SQLite would keep 2 MiB of its pages after many writes, in one transaction or in several.
    private func wrote(_ writes: Int) {
        let keepsMany = queue.withLock { pending in
            pending.sinceShrunk += writes
            guard pending.sinceShrunk >= Self.writesPerTransaction / 10 else { return false }
            pending.sinceShrunk = 0
            return true
        }
        guard keepsMany else { return }
        database.asyncWriteWithoutTransaction { database in
            // The pages stay, if it fails; nothing else depends on it.
            try? database.execute(sql: "PRAGMA shrink_memory")
        }
    }

    private static func failed(_ error: any Error, _ count: Int) -> [WriteOutcome] {
        let sentence = "the state database cannot be written: \(error)"
        return Array(repeating: .unknown(sentence), count: count)
    }

    private static func perform(
        _ writes: [StateWrite], in database: Database
    ) throws -> [WriteOutcome] {
        try writes.map { write in
            switch (write.condition, write.value) {
            case (.absent, .some(let value)):
                try database.cachedStatement(
                    sql: "INSERT INTO state (key, value, etag) VALUES (?, ?, 1) "
                        + "ON CONFLICT DO NOTHING"
                ).execute(arguments: [write.key, Data(value)])
                return database.changesCount == 1 ? .applied(etag: "1") : .conflict
            case (.etag(let etag), .some(let value)):
                guard let number = Int64(etag) else { return .conflict }
                try database.cachedStatement(
                    sql: "UPDATE state SET value = ?, etag = etag + 1 WHERE key = ? AND etag = ?"
                ).execute(arguments: [Data(value), write.key, number])
                return database.changesCount == 1
                    ? .applied(etag: String(number + 1)) : .conflict
            case (.etag(let etag), nil):
                guard let number = Int64(etag) else { return .conflict }
                try database.cachedStatement(
                    sql: "DELETE FROM state WHERE key = ? AND etag = ?"
                ).execute(arguments: [write.key, number])
                return database.changesCount == 1 ? .applied(etag: "") : .conflict
            case (.absent, nil):
                return .conflict
            }
        }
    }
}
