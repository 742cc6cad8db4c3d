package import Logging
package import ManagerCore
import Synchronization

/// Writes statuses behind: what has come to rest, at most once a second for each connection, all of
/// a second in one transaction, and only what differs from what is stored. Only for connections of
/// this instance.
package final class StatusWriter: Sendable {
    /// Between two rounds of writes.
    package static let interval: Duration = .seconds(1)
    /// A connection that changed within this time waits for a later round: a dial changes it three
    /// times, and while many dials run the store is left alone.
    package static let rest: Duration = .seconds(1)
    /// So long after its first change a connection is written though it does not come to rest.
    package static let longestWait: Duration = .seconds(5)
    /// Records of one transaction.
    static let perTransaction = 500
    /// Records of one round in a cluster, whose store many share: the rest waits its turn.
    package static let perRoundInCluster = 200

    private let store: TwoTierStore
    private let status: @Sendable (_ name: String) -> StoredStatus?
    private let onWrite: @Sendable (_ records: Int) -> Void
    private let dirty = Mutex(Dirty())
    private let limit: Int
    private let logger: Logger
    private let now: @Sendable () -> Moment

    /// Names in the order in which they were noted, each once.
    private struct Dirty {
        private var order: [(name: String, notedAt: Moment)] = []
        private var changedAt: [String: Moment] = [:]

        mutating func note(_ name: String, now: Moment) {
            if changedAt.updateValue(now, forKey: name) == nil { order.append((name, now)) }
        }

        /// - Parameter now: takes only what is due then; `nil` takes all.
        mutating func take(_ most: Int, due now: Moment? = nil) -> [String] {
            var taken: [String] = []
            order = order.filter { name, notedAt in
                if let now, now < notedAt + StatusWriter.longestWait,
                    let changed = changedAt[name], now < changed + StatusWriter.rest
                {
                    return true
                }
                guard taken.count < most else { return true }
                taken.append(name)
                return false
            }
            for name in taken { changedAt[name] = nil }
            // A table that is emptied keeps the room that all connections at once took.
            if changedAt.isEmpty { changedAt = [:] }
            return taken
        }
    }

    /// - Parameters:
    ///   - limit: records of one round.
    ///   - onWrite: told of every transaction.
    ///   - status: what is to be stored now; `nil` if there is nothing to say.
    package init(
        store: TwoTierStore, logger: Logger, limit: Int = .max,
        now: @escaping @Sendable () -> Moment = { .now },
        onWrite: @escaping @Sendable (_ records: Int) -> Void = { _ in },
        status: @escaping @Sendable (String) -> StoredStatus?
    ) {
        self.store = store
        self.logger = logger
        self.limit = limit
        self.now = now
        self.onWrite = onWrite
        self.status = status
    }

    package func note(_ name: String) { note([name]) }

    package func note(_ names: [String]) {
        let now = now()
        dirty.withLock { dirty in
            for name in names { dirty.note(name, now: now) }
        }
    }

    /// Runs until cancelled.
    package func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.interval)
            await writeDue()
        }
    }

    /// One round: writes what is noted and has come to rest, or waited long enough.
    package func writeDue() async {
        let now = now()
        await write(all: dirty.withLock { $0.take(limit, due: now) })
    }

    /// Writes what is noted, up to the limit of a round, without waiting for it to come to rest: at
    /// the end of the process.
    package func flush() async {
        await write(all: dirty.withLock { $0.take(limit) })
    }

    private func write(all names: [String]) async {
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
            onWrite(statuses.count)
        } catch {
            logger.warning(
                "statuses could not be written; they are tried again",
                metadata: ["error": "\(error)"])
            note(names)
        }
    }
}
