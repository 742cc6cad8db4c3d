/// A live record as it travels to whoever connects it.
package struct LiveRecord: Sendable, Hashable {
    package var name: String
    package var uid: UInt64
    package var revision: UInt64
    /// What the shell stores; the protocol does not look inside.
    package var content: [UInt8]

    package init(name: String, uid: UInt64, revision: UInt64, content: [UInt8] = []) {
        self.name = name
        self.uid = uid
        self.revision = revision
        self.content = content
    }
}

/// What the shell does next; in the order given, each without waiting for the one before.
package enum ClusterAction: Sendable, Hashable {
    /// Read these keys and answer with `readEnded`, at the latest after the store deadline.
    case read(CallID, [ClusterKey])
    /// Write one key, by compare-and-set or (no tag) create-if-absent; answer with `writeEnded`,
    /// at the latest after the store deadline. Writes of one batch may travel together.
    case write(CallID, ClusterKey, replacing: StoreTag?, with: ClusterValue)
    /// Only if ``ProtocolRules/namesAreNeverDeleted`` is off.
    case delete(ClusterKey)
    case send(PeerMessage, to: String)

    /// The number that every place of an effect compares its clock with; `nil` means fenced.
    case actUntil(Moment?)
    /// Fenced for too long: close every socket. Connections are dialled again after `redial`.
    case closeSockets
    case redial

    /// Serve this shard under this title; records follow with `open`.
    case takeUp(shard: Int, title: Title, origin: ShardHeader.Origin)
    case open(shard: Int, title: Title, LiveRecord)
    case close(shard: Int, title: Title, name: String)
    /// Read no more from the sockets, publish what was read, then answer `drained` with this number.
    /// A later one replaces it: something was opened meanwhile.
    case stopReading(shard: Int, title: Title, stop: Int)
    /// Close the sockets of the shard, keep its title and buffers: it is about to be released.
    case hangUp(shard: Int, title: Title)
    /// The hand-over was called off: dial, read and publish again.
    case resume(shard: Int, title: Title)
    /// The title is gone: close its sockets, drop its buffers and count them.
    case drop(shard: Int, title: Title, DropCause)
    /// Answer `digests` for this shard.
    case collectDigests(shard: Int, title: Title)

    /// Dial these in the shadow, read and buffer, publish nothing; answer `shadowReady`.
    case shadow(shard: Int, from: Title, [LiveRecord])
    case keepDigests(shard: Int, from: Title, [ConnectionDigests])
    case dropShadow(shard: Int, from: Title)

    case answer(CallToken, CallResult)
    case count(Counted)
    /// The process must end.
    case exit(ExitCause)

    package enum DropCause: Sendable, Hashable {
        case deposed, handedOver, released, foreignTitle
    }

    package enum ExitCause: Sendable, Hashable {
        /// The drain is done.
        case left
        /// `wsm/meta` is gone or names another cluster.
        case storeLost
    }

    package enum Counted: Sendable, Hashable {
        case fenced, unfenced, woke, deposed, storeWentBack, noFreeSlot
        case joined(Identity)
        case buried(Identity)
        case claimed(shard: Int, ShardHeader.How)
        case adopted(shard: Int, ShardHeader.How)
        case handOverBegan(shard: Int)
        case handOverAbandoned(shard: Int)
        case sealed(shard: Int)
    }
}

/// Names one API call at the instance that took it from a client.
package struct CallToken: Sendable, Hashable {
    package var origin: String
    package var number: UInt64

    package init(origin: String, number: UInt64) {
        self.origin = origin
        self.number = number
    }
}

/// A change of one record, asked for by a client.
package struct RecordChange: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case create, change, delete
    }

    /// The life and the revision of the record that a change was made from; for a create those of
    /// the tombstone in its place.
    package struct Base: Sendable, Hashable {
        /// There never was a record.
        package static let absent = Base(uid: 0, revision: 0)

        package var uid: UInt64
        package var revision: UInt64

        package init(uid: UInt64, revision: UInt64) {
            self.uid = uid
            self.revision = revision
        }
    }

    /// A name used again gets another record, and this is its uid; `nil` leaves it to the owner.
    package var uid: UInt64?
    package var name: String
    package var kind: Kind
    package var revision: UInt64
    /// Refused if the record is not at this any more; `nil` takes whatever is there.
    package var base: Base?
    /// What is stored; nothing for a delete.
    package var content: [UInt8]

    package init(
        name: String, kind: Kind, revision: UInt64, uid: UInt64? = nil, base: Base? = nil,
        content: [UInt8] = []
    ) {
        self.name = name
        self.kind = kind
        self.revision = revision
        self.uid = uid
        self.base = base
        self.content = content
    }
}

/// What a client is told.
package enum CallResult: Sendable, Hashable {
    /// The record that carries the change was applied, and the lease was valid just now.
    case done
    /// It exists already, does not exist, or is not at the base. Nothing was or will be changed.
    case refused
    /// Nobody can act now. The change may be in effect, or come into effect.
    case unavailable
}

/// The question an owner puts to the member that should have its shard.
package struct HandOverAsk: Sendable, Hashable {
    package var shard: Int
    package var title: Title
    /// Where to answer.
    package var address: String
    /// The owner is leaving: balance does not matter.
    package var isDrain: Bool
    /// What to dial in the shadow.
    package var records: [LiveRecord]

    package init(
        shard: Int, title: Title, address: String, isDrain: Bool, records: [LiveRecord]
    ) {
        self.shard = shard
        self.title = title
        self.address = address
        self.isDrain = isDrain
        self.records = records
    }
}

/// What members say to each other. Any of it may be lost, late or repeated.
package enum PeerMessage: Sendable, Hashable {
    /// Will you have this shard? (step 1)
    case ask(HandOverAsk)
    case answer(shard: Int, title: Title, by: Identity, isYes: Bool)
    /// The shadow connections are up, or have failed (step 2).
    case shadowReady(shard: Int, title: Title, by: Identity)
    /// Steps 3 and 5; the final ones are acknowledged.
    case digests(shard: Int, title: Title, isFinal: Bool, [ConnectionDigests])
    case acknowledged(shard: Int, title: Title, by: Identity)
    /// Step 7, or the hand-over was called off.
    case handOverEnded(shard: Int, title: Title, isDone: Bool)

    /// A forwarded call. It is never forwarded again.
    case call(CallToken, shard: Int, title: Title, RecordChange, replyTo: String)
    case result(CallToken, CallResult)
    /// The receiver does not act under that title; it knows this one.
    case notOwner(CallToken, known: Title?)
}

/// What happened, as the shell saw it.
package enum ClusterInput: Sendable {
    /// The ticker fired. - Parameter loopsLive: Event loops, publisher and reconcile loop have all
    /// ticked in the last three seconds.
    case tick(loopsLive: Bool)
    case writeEnded(CallID)
    case readEnded(CallID, [(ClusterKey, ReadItem)])
    case received(PeerMessage)
    case shadowReady(shard: Int, from: Title)
    /// Nothing of the shard is left to be published and no publish call is under way.
    case drained(shard: Int, title: Title, stop: Int, [ConnectionDigests])
    case digests(shard: Int, title: Title, [ConnectionDigests])
    /// A socket of the shard dropped while a shadow was being made.
    case socketDropped(shard: Int, title: Title)
    case called(CallToken, RecordChange)
    case drain(isRestart: Bool)
    case drainCalledOff
    /// Takes no shard more, and gives none away: what it has it keeps.
    case cordon(Bool)
}
