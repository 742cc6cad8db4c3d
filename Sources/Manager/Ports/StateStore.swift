/// One value of the state store and the tag it was read under.
package struct StateEntry: Sendable, Hashable {
    package var value: [UInt8]
    package var etag: String

    package init(value: [UInt8], etag: String) {
        self.value = value
        self.etag = etag
    }
}

/// One conditional write.
package struct StateWrite: Sendable, Hashable {
    package enum Condition: Sendable, Hashable {
        /// The key must not exist.
        case absent
        /// The key must still have this tag.
        case etag(String)
    }

    package var key: String
    /// `nil` deletes. Only for clean-up: a record whose name can be used again gets a tombstone.
    package var value: [UInt8]?
    package var condition: Condition

    package init(key: String, value: [UInt8]?, condition: Condition) {
        self.key = key
        self.value = value
        self.condition = condition
    }
}

/// What became of one write.
package enum WriteOutcome: Sendable, Hashable {
    /// Durable, under this tag.
    case applied(etag: String)
    /// The condition did not hold; nothing was written.
    case conflict
    /// Nobody can tell: it may be in effect, or come into effect later. Read again.
    case unknown(String)
}

/// A read that could not be answered.
package struct StateStoreError: Error, Sendable, CustomStringConvertible {
    package var message: String

    package init(message: String) {
        self.message = message
    }

    package var description: String { message }
}

/// Durable state behind the memory tier: get, bulk get and compare-and-set, which is all that
/// every store can do.
///
/// Implementations: ``SQLiteStateStore``, ``DaprStateStore``, and the in-memory one of the tests.
/// One conformance suite, passed by all.
package protocol StateStore: Sendable {
    func get(_ key: String) async throws(StateStoreError) -> StateEntry?
    /// Absent keys are absent from the answer. Not a snapshot: two keys may be of two moments.
    func bulkGet(_ keys: [String]) async throws(StateStoreError) -> [String: StateEntry]
    /// Writes in this order. An outcome for each, in the same order; a write that follows a
    /// conflict or an unknown one of the same call may or may not have been tried, and says so.
    func write(_ writes: [StateWrite]) async -> [WriteOutcome]
}
