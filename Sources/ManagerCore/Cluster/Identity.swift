/// 128 random bits: names one membership of a running server, or one author of writes.
package struct Incarnation: Sendable, Hashable, CustomStringConvertible {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func random(using generator: inout some RandomNumberGenerator) -> Incarnation {
        Incarnation(high: generator.next(), low: generator.next())
    }

    /// The first digits, enough to tell a few dozen apart.
    package var description: String { String(high >> 40, radix: 16) }
}

/// One membership: an incarnation is bound to one slot and one slotEpoch for ever.
///
/// Compared as a whole, never by the incarnation alone.
package struct Identity: Sendable, Hashable, CustomStringConvertible {
    package var slot: Int
    /// Rises at every change of the slot's holder.
    package var slotEpoch: UInt64
    package var incarnation: Incarnation

    package init(slot: Int, slotEpoch: UInt64, incarnation: Incarnation) {
        self.slot = slot
        self.slotEpoch = slotEpoch
        self.incarnation = incarnation
    }

    package var description: String { "\(slot)/\(slotEpoch)/\(incarnation)" }
}

/// What owning a shard means: the header holds exactly this.
///
/// The owner alone is not enough, since a shard can go away and come back.
package struct Title: Sendable, Hashable, CustomStringConvertible {
    package var identity: Identity
    /// The `epoch` of records, events and message ids written under this title.
    package var shardEpoch: UInt64

    package init(identity: Identity, shardEpoch: UInt64) {
        self.identity = identity
        self.shardEpoch = shardEpoch
    }

    package var description: String { "e\(shardEpoch)@\(identity)" }
}

/// Marks one write, so that its author knows it again when it reads the key back.
///
/// The author is drawn once for a process: an incarnation would not do, since a process that is
/// not a member yet writes too, and draws a new incarnation for every attempt to join.
package struct Nonce: Sendable, Hashable {
    package var author: Incarnation
    package var counter: UInt64

    package init(author: Incarnation, counter: UInt64) {
        self.author = author
        self.counter = counter
    }
}
