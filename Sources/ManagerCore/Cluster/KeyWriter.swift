/// Writes one key by compare-and-set and decides by reading back what became of it.
///
/// At most one call is under way. After every answer, good or bad, the key is read: a nonce of
/// one's own means `applied`; the same tag as before means `pending`, which is *not* lost and ends
/// only when the tag moves; anything else is a conflict. Until then the key is *dirty*. The next
/// write replaces the same tag, with whatever is wanted by then, and kills all earlier attempts.
package struct KeyWriter: Sendable {
    package enum Outcome: Sendable, Hashable {
        /// The key holds a write of one's own, which began at this moment.
        case applied(began: Moment)
        /// Somebody else's value, or another life of the key, is there.
        case conflict
        /// The key has not moved: the write may land at any later time.
        case pending
        /// It could not be read.
        case unknown
    }

    private enum Phase: Sendable, Hashable {
        case idle
        case writing(CallID)
        case reading(CallID)
    }

    package let key: ClusterKey
    /// As last read; `nil` means absent, if ``isRead``.
    package private(set) var known: StoredValue?
    package private(set) var isRead = false
    /// Not before this moment is the next attempt of a dirty key due.
    package private(set) var retryAt = Moment.distantPast
    private var phase = Phase.idle
    private var attempts: [(nonce: Nonce, began: Moment)] = []

    package init(key: ClusterKey) {
        self.key = key
    }

    package var isIdle: Bool { phase == .idle }
    /// A write may still land.
    package var isDirty: Bool { !attempts.isEmpty }
    /// Nothing under way and nothing that could still land.
    package var isQuiet: Bool { isIdle && !isDirty }

    /// Whether a write may begin: the key was read, no call is under way, no pause is running.
    package func isReady(now: Moment) -> Bool { isRead && isIdle && now >= retryAt }

    /// Takes what a read of several keys found. Dirty and busy keys listen to their own read only.
    package mutating func observe(_ item: ReadItem) {
        guard isQuiet else { return }
        take(item)
    }

    /// Forgets everything: the key has to be read again. A write under way may land at any time.
    package mutating func abandon() {
        self = KeyWriter(key: key)
    }

    private mutating func take(_ item: ReadItem) {
        switch item {
        case .absent: (known, isRead) = (nil, true)
        case .found(let stored): (known, isRead) = (stored, true)
        case .failed: break
        }
    }

    /// Begins a write that replaces what is known.
    package mutating func write(
        _ value: ClusterValue, purpose: CallPurpose, book: inout CallBook, now: Moment
    ) {
        attempts.append((value.nonce, now))
        phase = .writing(book.write(key, replacing: known?.tag, with: value, purpose: purpose))
    }

    /// Begins a read of a key that is not known.
    package mutating func read(purpose: CallPurpose, book: inout CallBook) {
        phase = .reading(book.read([key], purpose: purpose))
    }

    /// The write's call ended, however: reads back.
    /// - Returns: False for a call that is not this writer's (any more).
    package mutating func wrote(
        _ call: CallID, purpose: CallPurpose, book: inout CallBook
    ) -> Bool {
        guard phase == .writing(call) else { return false }
        phase = .reading(book.read([key], purpose: purpose))
        return true
    }

    /// The read-back ended.
    /// - Returns: `nil` for a call that is not this writer's (any more).
    package mutating func readBack(
        _ call: CallID, _ item: ReadItem, now: Moment, pause: Duration, rules: ProtocolRules
    ) -> Outcome? {
        guard phase == .reading(call) else { return nil }
        phase = .idle
        if item == .failed {
            retryAt = now + pause
            return .unknown
        }
        let outcome = decide(item)
        if outcome == .pending {
            retryAt = now + pause
            if !rules.unmovedWritesArePending {
                attempts.removeAll()
                return .conflict
            }
            return .pending
        }
        take(item)
        attempts.removeAll(keepingCapacity: true)
        retryAt = .distantPast
        return outcome
    }

    private func decide(_ item: ReadItem) -> Outcome {
        guard case .found(let stored) = item else {
            return known == nil && isDirty ? .pending : .conflict
        }
        let nonce = stored.value.nonce
        if let attempt = attempts.first(where: { $0.nonce == nonce }) {
            return .applied(began: attempt.began)
        }
        return stored.tag == known?.tag && isDirty ? .pending : .conflict
    }
}
