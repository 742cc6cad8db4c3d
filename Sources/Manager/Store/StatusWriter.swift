package import Logging
package import ManagerCore
import Synchronization

/// Writes statuses behind: at most one write a second for each connection, all of a second in one
/// transaction, and only what differs from what is stored. Only for connections of this instance.
package final class StatusWriter: Sendable {
    /// Between two rounds of writes.
    package static let interval: Duration = .seconds(1)
    /// Records of one transaction.
    static let perTransaction = 500
    /// Records of one round in a cluster, whose store many share: the rest waits its turn.
    package static let perRoundInCluster = 200

    private let store: TwoTierStore
    private let status: @Sendable (_ name: String) -> StoredStatus?
    private let dirty = Mutex(Dirty())
    private let limit: Int
    private let logger: Logger

    /// Names in the order in which they were noted, each once.
    private struct Dirty {
        private var names: Set<String> = []
        private var order: [String] = []

        mutating func note(_ name: String) {
            if names.insert(name).inserted { order.append(name) }
        }

        mutating func take(_ most: Int) -> [String] {
            let taken = Array(order.prefix(most))
            order.removeFirst(taken.count)
            names.subtract(taken)
            return taken
        }
    }

    /// - Parameters:
    ///   - limit: records of one round.
    ///   - status: what is to be stored now; `nil` if there is nothing to say.
    package init(
        store: TwoTierStore, logger: Logger, limit: Int = .max,
        status: @escaping @Sendable (String) -> StoredStatus?
    ) {
        self.store = store
        self.logger = logger
        self.limit = limit
        self.status = status
    }

    package func note(_ name: String) {
        dirty.withLock { $0.note(name) }
    }

    /// Runs until cancelled.
    package func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            await flush()
        }
    }

    /// Writes what is noted, up to the limit of a round. Also called once at the end of the process.
    package func flush() async {
        let names = dirty.withLock { $0.take(limit) }
        var start = 0
        while start < names.count {
            let end = min(start + Self.perTransaction, names.count)
            await write(Array(names[start..<end]))
            start = end
        }
    }

    private func write(_ names: [String]) async {
        // What is being handed over or fenced is tried again; what went is not ours any more.
        for name in names where !store.isServed(name) && store.epoch(of: name) != nil { note(name) }
        let names = names.filter(store.isServed)
        let statuses = names.compactMap { name in status(name).map { (name, $0) } }
        guard !statuses.isEmpty else { return }
        do {
            try await store.transact(tells: false, isOwnOnly: true) { draft in
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
            for name in names { note(name) }
        }
    }
}
