import Logging
import ManagerCore
import NIOCore

/// Carries out the store calls of one ``ClusterNode``: each is answered exactly once, at the latest
/// after the store deadline; calls of one turn travel together.
///
/// Confined to the node's event loop.
final class StoreCalls {
    /// Items of one call: what a sidecar takes at once without trouble.
    static let perCall = 100
    /// Calls for pages and records under way at one time. Heartbeats and headers do not wait
    /// for them.
    static let bulkAtOnce = 8

    /// An answer, back to the node.
    enum Answer {
        case written(CallID)
        case read(CallID, [(ClusterKey, ReadItem)])
    }

    private struct Write {
        var call: CallID
        var write: StateWrite
    }

    private struct Read {
        var call: CallID
        var keys: [ClusterKey]
    }

    private let store: any StateStore
    private let eventLoop: any EventLoop
    /// Where the calls run; `nil` is with everything else that is asynchronous.
    private let executor: (any TaskExecutor)?
    private let deadline: Duration
    private let logger: Logger
    private let answer: (Answer) -> Void

    private var alone: [Write] = []
    private var headers: [Write] = []
    private var bulk: [Write] = []
    private var reads: [Read] = []
    private var bulkReads: [Read] = []
    private var bulkUnderWay = 0
    /// Calls that have neither an answer nor run out of time.
    private(set) var underWay = 0
    /// Keys whose value could not be read, so that each is told of once.
    private var unreadable: Set<String> = []

    init(
        store: any StateStore, eventLoop: any EventLoop, executor: (any TaskExecutor)?,
        deadline: Duration, logger: Logger, answer: @escaping (Answer) -> Void
    ) {
        self.store = store
        self.eventLoop = eventLoop
        self.executor = executor
        self.deadline = deadline
        self.logger = logger
        self.answer = answer
    }

    // MARK: Taking

    func write(_ call: CallID, _ key: ClusterKey, replacing tag: StoreTag?, _ value: ClusterValue) {
        let write = Write(
            call: call,
            write: StateWrite(
                key: ClusterCodec.storeKey(key), value: ClusterCodec.encode(value),
                condition: tag.map { .etag($0.text) } ?? .absent))
        switch key {
        case .meta, .slot: alone.append(write)
        case .header: headers.append(write)
        case .page, .record: bulk.append(write)
        }
    }

    func read(_ call: CallID, _ keys: [ClusterKey]) {
        let read = Read(call: call, keys: keys)
        let isBulk = keys.allSatisfy { key in
            switch key {
            case .page, .record: true
            case .meta, .slot, .header: false
            }
        }
        if isBulk { bulkReads.append(read) } else { reads.append(read) }
    }

    // MARK: Sending

    /// Sends what was taken in this turn.
    /// - Parameter mayWrite: the lease is valid: only then pages and records are written.
    func flush(mayWrite: Bool) {
        for write in alone { send([write], isBulk: false) }
        alone.removeAll(keepingCapacity: true)
        for group in Self.groups(headers, size: { _ in 1 }) { send(group, isBulk: false) }
        headers.removeAll(keepingCapacity: true)
        for group in Self.groups(reads, size: \.keys.count) { send(group, isBulk: false) }
        reads.removeAll(keepingCapacity: true)
        flushBulk(mayWrite: mayWrite)
    }

    private func flushBulk(mayWrite: Bool) {
        if !mayWrite, !bulk.isEmpty {
            // Not begun: the read that follows finds the key where it was.
            let held = bulk
            bulk.removeAll(keepingCapacity: true)
            answerLater(held)
        }
        while bulkUnderWay < Self.bulkAtOnce {
            if let group = Self.takeGroup(&bulk, size: { _ in 1 }) {
                send(group, isBulk: true)
            } else if let group = Self.takeGroup(&bulkReads, size: \.keys.count) {
                send(group, isBulk: true)
            } else {
                return
            }
        }
    }

    /// Not at once: the node is in the middle of its turn.
    private func answerLater(_ writes: [Write]) {
        eventLoop.assumeIsolated().execute { [self] in
            for write in writes { answer(.written(write.call)) }
        }
    }

    private static func takeGroup<Item>(
        _ items: inout [Item], size: (Item) -> Int
    ) -> [Item]? {
        guard !items.isEmpty else { return nil }
        var count = 0
        var taken = 0
        for item in items {
            if taken > 0, count + size(item) > perCall { break }
            count += size(item)
            taken += 1
        }
        defer { items.removeFirst(taken) }
        return Array(items.prefix(taken))
    }

    private static func groups<Item>(_ items: [Item], size: (Item) -> Int) -> [[Item]] {
        var rest = items
        var groups: [[Item]] = []
        while let group = takeGroup(&rest, size: size) { groups.append(group) }
        return groups
    }

    // MARK: One call

    /// A call under way: whoever comes first, answer or deadline, ends it.
    private final class Running {
        var isEnded = false
        var task: Task<Void, Never>?
        var timeout: Scheduled<Void>?
    }

    private func send(_ writes: [Write], isBulk: Bool) {
        run(isBulk: isBulk) { [store] in
            _ = await store.write(writes.map(\.write))
            return [:]
        } ended: { [answer] _ in
            for write in writes { answer(.written(write.call)) }
        }
    }

    private func send(_ reads: [Read], isBulk: Bool) {
        var keys: Set<String> = []
        for read in reads { keys.formUnion(read.keys.map(ClusterCodec.storeKey)) }
        let wanted = Array(keys)
        run(isBulk: isBulk) { [store] in
            try? await store.bulkGet(wanted)
        } ended: { [self] entries in
            for read in reads {
                answer(.read(read.call, read.keys.map { ($0, item($0, in: entries)) }))
            }
        }
    }

    private func run(
        isBulk: Bool,
        _ body: @escaping @Sendable () async -> [String: StateEntry]?,
        ended: @escaping ([String: StateEntry]?) -> Void
    ) {
        let running = NIOLoopBound(Running(), eventLoop: eventLoop)
        underWay += 1
        if isBulk { bulkUnderWay += 1 }
        let finish = NIOLoopBound(
            { (entries: [String: StateEntry]?) in
                guard !running.value.isEnded else { return }
                running.value.isEnded = true
                running.value.task?.cancel()
                running.value.timeout?.cancel()
                self.underWay -= 1
                if isBulk { self.bulkUnderWay -= 1 }
                ended(entries)
            }, eventLoop: eventLoop)
        let eventLoop = eventLoop
        running.value.task = Task(executorPreference: executor) {
            let entries = await body()
            eventLoop.execute { finish.value(entries) }
        }
        running.value.timeout = eventLoop.scheduleTask(
            in: .nanoseconds(deadline.saturatedNanoseconds)
        ) { finish.value(nil) }
    }

    private func item(_ key: ClusterKey, in entries: [String: StateEntry]?) -> ReadItem {
        let name = ClusterCodec.storeKey(key)
        guard let entries else { return .failed }
        guard let entry = entries[name] else { return .absent }
        do {
            let value = try ClusterCodec.decode(key, entry.value)
            unreadable.remove(name)
            return .found(StoredValue(value: value, tag: StoreTag(entry.etag)))
        } catch {
            if unreadable.insert(name).inserted {
                logger.error(
                    "a value of the state store cannot be read", metadata: ["error": "\(error)"])
            }
            return .failed
        }
    }
}
