package import Logging
package import ManagerCore
import Synchronization

/// Writes statuses behind: at most one write a second for each connection, all of a second in one
/// transaction, and only what differs from what is stored.
package final class StatusWriter: Sendable {
    /// Between two rounds of writes.
    package static let interval: Duration = .seconds(1)
    /// Records of one transaction.
    static let perTransaction = 500

    private let store: TwoTierStore
    private let status: @Sendable (_ name: String) -> StoredStatus?
    private let dirty = Mutex<Set<String>>([])
    private let logger: Logger

    /// - Parameter status: what is to be stored now; `nil` if there is nothing to say.
    package init(
        store: TwoTierStore, logger: Logger,
        status: @escaping @Sendable (String) -> StoredStatus?
    ) {
        self.store = store
        self.logger = logger
        self.status = status
    }

    package func note(_ name: String) {
        _ = dirty.withLock { $0.insert(name) }
    }

    /// Runs until cancelled.
    package func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            await flush()
        }
    }

    /// Writes what is noted. Also called once at the end of the process.
    package func flush() async {
        let names = dirty.withLock { dirty in
            defer { dirty = [] }
            return dirty.sorted()
        }
        var start = 0
        while start < names.count {
            let end = min(start + Self.perTransaction, names.count)
            await write(Array(names[start..<end]))
            start = end
        }
    }

    private func write(_ names: [String]) async {
        let statuses = names.compactMap { name in status(name).map { (name, $0) } }
        guard !statuses.isEmpty else { return }
        do {
            try await store.transact(tells: false) { draft in
                for (name, status) in statuses {
                    guard var record = draft.connection(name), record.observed != status else {
                        continue
                    }
                    record.observed = status
                    draft.put(record)
                }
            }
        } catch {
            logger.warning(
                "statuses could not be written; they are tried again",
                metadata: ["error": "\(error)"])
            dirty.withLock { $0.formUnion(names) }
        }
    }
}
