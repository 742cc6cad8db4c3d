/// Names one call of the store within a process.
package typealias CallID = UInt64

/// What a call of the store was for: where its answer goes.
package enum CallPurpose: Sendable, Hashable {
    case meta
    case mySlot
    case burial(slot: Int)
    case roster(began: Moment)
    /// Of every header that is not held, or of one that is waited for.
    case scan(began: Moment, isWhole: Bool)
    case ownHeaders(began: Moment, confirms: Identity?)
    case header(shard: Int)
    case heirSlot(shard: Int, title: Title)
    case pages(shard: Int, title: Title)
    case records(shard: Int, title: Title)
    case page(shard: Int, title: Title, page: Int)
    case record(shard: Int, title: Title, name: String)
}

/// Gives out calls and nonces, and keeps what is still unanswered.
package struct CallBook: Sendable {
    package let author: Incarnation
    package private(set) var unanswered: [CallID: CallPurpose] = [:]
    package var actions: [ClusterAction] = []
    private var lastCall: CallID = 0
    private var lastNonce: UInt64 = 0

    package init(author: Incarnation) {
        self.author = author
    }

    package mutating func nonce() -> Nonce {
        lastNonce += 1
        return Nonce(author: author, counter: lastNonce)
    }

    package mutating func read(_ keys: [ClusterKey], purpose: CallPurpose) -> CallID {
        lastCall += 1
        unanswered[lastCall] = purpose
        actions.append(.read(lastCall, keys))
        return lastCall
    }

    package mutating func write(
        _ key: ClusterKey, replacing tag: StoreTag?, with value: ClusterValue,
        purpose: CallPurpose
    ) -> CallID {
        lastCall += 1
        unanswered[lastCall] = purpose
        actions.append(.write(lastCall, key, replacing: tag, with: value))
        return lastCall
    }

    /// The purpose of a call that has just been answered; `nil` if it was answered before.
    package mutating func close(_ call: CallID) -> CallPurpose? {
        unanswered.removeValue(forKey: call)
    }
}
