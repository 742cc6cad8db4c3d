/// What one member knows of one shard's header, and what it does about it.
package struct Seat: Sendable {
    package internal(set) var writer: KeyWriter
    /// Set while this member holds a title of the shard.
    package internal(set) var owned: Owned?
    /// The highest epoch ever seen here, and when.
    var highest: UInt64 = 0
    var highestSeenAt = Moment.distantPast
    /// The highest epoch that this process served.
    var served: UInt64 = 0
    /// Since when nobody seems to own it.
    var unownedSince: Moment?
    /// Since when the header names an identity that its slot does not know.
    var doubt: (owner: Identity, since: Moment)?
    /// The next hand-over for balance not before this moment.
    var restsUntil = Moment.distantPast
    /// The next hand-over of a drain not before this moment: the last one was called off.
    var drainsAt = Moment.distantPast

    init(shard: Int) {
        writer = KeyWriter(key: .header(shard))
    }

    /// False if time alone gives nothing to do here: most shards of a quiet cluster.
    var mayHaveWork: Bool {
        guard writer.isQuiet, unownedSince == nil else { return true }
        return owned.map { $0.outgoing != nil || !$0.records.isSettled } ?? false
    }

    /// The header as last read.
    package var header: ShardHeader? {
        if case .header(let header)? = writer.known?.value { header } else { nil }
    }
}

/// A title that this member holds, and what hangs on it. A new title starts from nothing.
package struct Owned: Sendable {
    package let title: Title
    package let takenAt: Moment
    package internal(set) var records: ShardRecords
    /// A write that gives the shard away is under way or unresolved: no effect is allowed.
    package internal(set) var isFrozen = false
    package internal(set) var outgoing: Outgoing?
}

/// A hand-over or a release, on the side of the owner.
package struct Outgoing: Sendable {
    package enum Step: Sendable, Hashable {
        case asking
        /// The heir dials in the shadow.
        case shadowing
        /// Reads no more, publishes the rest.
        case draining
        /// Frozen; the final digests are on their way.
        case acknowledging
        /// Frozen; the heir's slot is read once more.
        case checking
        /// Frozen; the header is being written. Ends only when the header has moved.
        case cutting
        /// Frozen; the own title is being written, to kill the cut-over.
        case bumping
    }

    package internal(set) var step: Step
    /// `nil` for a release.
    package internal(set) var heir: RosterSlot?
    var candidates: [RosterSlot]
    var deadline: Moment
    package let isDrain: Bool
    /// The number of the last `stopReading`.
    var stop = 0
    var isDrained = false
    var digests: [ConnectionDigests] = []
    var nextDigests = Moment.distantPast
}

/// A hand-over, on the side of the heir.
struct Incoming: Sendable {
    let from: Title
    let address: String
    /// The shadow is kept until a new title is seen, or this long.
    var keepUntil: Moment
    var nextPoll: Moment?
    var isReady = false
    /// By uid, how far the digests reach that were kept: messages may overtake each other.
    var heard: [UInt64: UInt64] = [:]
}

/// A call that was forwarded.
struct Forward: Sendable {
    let change: RecordChange
    let shard: Int
    var title: Title
    var tries = 1
    var isReadingHeader = false
    let deadline: Moment
}
