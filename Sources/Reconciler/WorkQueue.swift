internal import DequeModule
internal import HeapModule
package import ManagerCore

/// Which keys are to be looked at, and when: the work queue of client-go, as a pure value.
///
/// - A key is queued at most once, however often it is added.
/// - A key that is being worked on is not handed out again; if it is added meanwhile, it is queued
///   once more when the work is done.
/// - Of two delays the earlier wins, and an add without delay beats every delay.
/// - A key that fails waits longer each time (``Backoff``); a success makes that forgotten. An
///   explicit add shortens even that wait: an event may mean that the cause is gone.
///
/// Keys that are due come out in the order in which they became due. Memory is in proportion to
/// the keys that are queued, worked on, or failing.
package struct WorkQueue<Key: Hashable & Sendable>: Sendable {
    package typealias Instant = Moment

    private enum State: Sendable {
        /// In ``ready``, under that number.
        case ready(number: UInt64)
        /// In ``delayed``, under that number, until then.
        case delayed(number: UInt64, until: Instant)
        /// Handed out; `again`: due at that time once the work is done.
        case processing(again: Instant?)
    }

    private struct Due: Sendable, Comparable {
        var at: Instant
        /// Each entry has its own; of two keys due at the same time the one added first goes first.
        var number: UInt64
        var key: Key

        static func == (left: Due, right: Due) -> Bool {
            left.at == right.at && left.number == right.number
        }

        static func < (left: Due, right: Due) -> Bool {
            (left.at, left.number) < (right.at, right.number)
        }
    }

    /// Room for so many keys is kept when there are none.
    private static var keptRoom: Int { 256 }

    private let retryBase: Duration
    private let retryCap: Duration
    private var states: [Key: State] = [:]
    /// May hold entries of keys that were removed since.
    private var ready = Deque<Due>()
    /// May hold entries of keys that were removed, or that an earlier add has overtaken.
    private var delayed = Heap<Due>()
    private var retries: [Key: Retry] = [:]
    private var lastNumber: UInt64 = 0

    private struct Retry: Sendable {
        var backoff: Backoff
        var failures: Int
    }

    /// - Parameters:
    ///   - retryBase, retryCap: Bounds of the wait of a key that fails.
    package init(retryBase: Duration, retryCap: Duration) {
        self.retryBase = retryBase
        self.retryCap = retryCap
    }

    /// Keys that are queued, now or with a delay; those being worked on not counted.
    package private(set) var queuedCount = 0

    /// Keys that are being worked on.
    package private(set) var processingCount = 0

    /// True if `next` has a key to give without waiting for ``nextDeadline``.
    package var hasReadyKey: Bool { readyCount > 0 }

    private var readyCount = 0

    /// Times a key was put into the queue, or was to be after the work on it.
    package private(set) var adds: UInt64 = 0

    /// When the first delayed key is due; `nil` if none is delayed.
    package var nextDeadline: Instant? { delayed.min?.at }

    /// Failures in a row.
    package func failures(of key: Key) -> Int { retries[key]?.failures ?? 0 }

    package func isProcessing(_ key: Key) -> Bool {
        if case .processing = states[key] { true } else { false }
    }
}

// MARK: Adding

extension WorkQueue {
    /// Look at this key as soon as possible.
    package mutating func add(_ key: Key, now: Instant) {
        add(key, at: now, now: now)
    }

    /// Look at this key at that time, or before; a time that has come means now.
    package mutating func add(_ key: Key, at time: Instant, now: Instant) {
        switch states[key] {
        case nil:
            queuedCount += 1
            adds += 1
            enqueue(key, at: time, now: now)
        case .ready:
            break
        case .delayed(_, let until):
            guard time < until || time <= now else { break }
            enqueue(key, at: time, now: now)
            // The entry from before is of no use.
            compact()
        case .processing(let again):
            if again == nil { adds += 1 }
            states[key] = .processing(again: again.map { min($0, time) } ?? time)
        }
    }

    /// Look at this key after that long, or before.
    package mutating func add(_ key: Key, after delay: Duration, now: Instant) {
        add(key, at: now.advanced(by: delay), now: now)
    }

    /// Forgets a key and its failures. One that is being worked on stays so until it is done, and
    /// is not queued again unless it is added after this.
    package mutating func remove(_ key: Key) {
        retries[key] = nil
        switch states[key] {
        case nil:
            return
        case .ready:
            readyCount -= 1
            queuedCount -= 1
            states[key] = nil
        case .delayed:
            queuedCount -= 1
            states[key] = nil
        case .processing:
            states[key] = .processing(again: nil)
        }
        compact()
    }

    private mutating func enqueue(_ key: Key, at time: Instant, now: Instant) {
        lastNumber += 1
        let due = Due(at: time, number: lastNumber, key: key)
        if time <= now {
            states[key] = .ready(number: lastNumber)
            ready.append(due)
            readyCount += 1
        } else {
            states[key] = .delayed(number: lastNumber, until: time)
            delayed.insert(due)
        }
    }
}

// MARK: Working

extension WorkQueue {
    /// Hands out the next key that is due; it is the caller's until one of the calls below.
    package mutating func next(now: Instant) -> Key? {
        while let due = delayed.min, due.at <= now {
            delayed.removeMin()
            if isCurrent(due) { enqueue(due.key, at: due.at, now: now) }
        }
        compact()
        guard let due = ready.popFirst() else { return nil }
        readyCount -= 1
        queuedCount -= 1
        processingCount += 1
        states[due.key] = .processing(again: nil)
        return due.key
    }

    /// The work on a key went well; its failures are forgotten.
    ///
    /// - Parameter requeueAfter: When to look again by itself; `nil`: only when it is added.
    package mutating func done(_ key: Key, requeueAfter: Duration? = nil, now: Instant) {
        retries[key] = nil
        finish(key, at: requeueAfter.map { now.advanced(by: $0) }, now: now)
    }

    /// The work on a key failed: it is queued again after its back-off.
    ///
    /// - Returns: When it is due, unless an add makes it sooner.
    @discardableResult
    package mutating func failed(
        _ key: Key, now: Instant, using generator: inout some RandomNumberGenerator
    ) -> Instant {
        var retry =
            retries[key] ?? Retry(backoff: Backoff(base: retryBase, cap: retryCap), failures: 0)
        retry.failures += 1
        let dueAt = now.advanced(by: retry.backoff.next(using: &generator))
        retries[key] = retry
        finish(key, at: dueAt, now: now)
        return dueAt
    }

    private mutating func finish(_ key: Key, at time: Instant?, now: Instant) {
        guard case .processing(let again) = states[key] else {
            preconditionFailure("work that was not handed out is done: \(key)")
        }
        processingCount -= 1
        states[key] = nil
        defer { if states.isEmpty, states.capacity > Self.keptRoom { giveBack() } }
        guard let dueAt = [again, time].compactMap({ $0 }).min() else { return }
        queuedCount += 1
        enqueue(key, at: dueAt, now: now)
        compact()
    }

    /// Nothing is queued: what a burst of keys took is let go.
    private mutating func giveBack() {
        states = [:]
        ready = Deque()
        delayed = Heap()
    }

    /// False for an entry whose key was removed, or moved by an earlier add.
    private func isCurrent(_ due: Due) -> Bool {
        switch states[due.key] {
        case .ready(let number), .delayed(let number, _): number == due.number
        case .processing, nil: false
        }
    }

    /// Makes the first entry of both lines a current one, so that ``nextDeadline`` is true, and
    /// keeps the lines in proportion to the keys queued.
    private mutating func compact() {
        while let due = delayed.min, !isCurrent(due) { delayed.removeMin() }
        while let due = ready.first, !isCurrent(due) { ready.removeFirst() }
        let limit = 2 * queuedCount + 64
        if delayed.count > limit { delayed = Heap(delayed.unordered.filter(isCurrent)) }
        if ready.count > limit { ready = Deque(ready.filter(isCurrent)) }
    }
}
