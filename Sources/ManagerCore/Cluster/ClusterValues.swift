/// The keys that ownership rests on. None of them is ever deleted or given a time to live.
package enum ClusterKey: Sendable, Hashable {
    case meta
    case slot(Int)
    case header(Int)
    case page(shard: Int, page: Int)
    case record(String)
}

/// A value with its nonce, as it stands under a ``ClusterKey``.
package enum ClusterValue: Sendable, Hashable {
    case meta(ClusterMeta)
    case slot(RosterSlot)
    case header(ShardHeader)
    case page(IndexPage)
    case record(OwnedRecord)

    package var nonce: Nonce {
        switch self {
        case .meta(let meta): meta.nonce
        case .slot(let slot): slot.nonce
        case .header(let header): header.nonce
        case .page(let page): page.nonce
        case .record(let record): record.nonce
        }
    }
}

/// `wsm/meta`: written once, by the first instance, and read by all.
package struct ClusterMeta: Sendable, Hashable {
    package var nonce: Nonce
    package var clusterID: Incarnation
    package var shards: Int

    package init(nonce: Nonce, clusterID: Incarnation, shards: Int) {
        self.nonce = nonce
        self.clusterID = clusterID
        self.shards = shards
    }
}

/// `wsm/member/<slot>`: who holds the slot, or what became of the last holder.
package struct RosterSlot: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// Nobody; an absent key is a free slot of slotEpoch 0.
        case free
        /// The heart beats.
        case alive
        /// The heart beats; hands its shards over and claims nothing.
        case draining
        /// An announced restart: placement goes on counting the node for a while.
        case away
        /// Taken over.
        case dead
    }

    package var nonce: Nonce
    package var state: State
    package var identity: Identity
    package var node: String
    /// Machine, boot and data directory: with the node and the lock on that directory it proves
    /// that the former process is gone.
    package var hostID: String
    /// The holder had the exclusive lock on its data directory when it joined. Without that a
    /// process that has it now knows nothing about the holder.
    package var isLocked: Bool
    package var address: String
    package var weight: Int
    /// An operator wants no shard more to go there.
    package var isCordoned = false
    /// How long after the begin of its last heartbeat the holder may still act and publish: its
    /// own lease plus its own longest publish call. Others suspect no sooner.
    package var hold: Duration

    package init(
        nonce: Nonce, state: State, identity: Identity, node: String, hostID: String,
        isLocked: Bool, address: String, weight: Int, hold: Duration
    ) {
        self.nonce = nonce
        self.state = state
        self.identity = identity
        self.node = node
        self.hostID = hostID
        self.isLocked = isLocked
        self.address = address
        self.weight = weight
        self.hold = hold
    }

    /// Whether somebody's heart beats here.
    package var isHeld: Bool { state == .alive || state == .draining }
}

/// `wsm/shard/<n>`: the title, and how far its records are known to be safe from earlier owners.
package struct ShardHeader: Sendable, Hashable {
    package enum How: Sendable, Hashable {
        case first, takeover, handover, release, reclaim
    }

    /// How the title came about, and whose it was before.
    package struct Origin: Sendable, Hashable {
        package var owner: Identity?
        package var shardEpoch: UInt64
        package var how: How

        package init(owner: Identity?, shardEpoch: UInt64, how: How) {
            self.owner = owner
            self.shardEpoch = shardEpoch
            self.how = how
        }
    }

    package var nonce: Nonce
    package var owner: Identity?
    /// The node of the last owner; makes a shard stick to it.
    package var node: String
    package var shardEpoch: UInt64
    package var pages: Int
    /// No write of an earlier owner can still take effect.
    package var isClean: Bool
    package var origin: Origin

    package init(
        nonce: Nonce, owner: Identity?, node: String, shardEpoch: UInt64, pages: Int,
        isClean: Bool, origin: Origin
    ) {
        self.nonce = nonce
        self.owner = owner
        self.node = node
        self.shardEpoch = shardEpoch
        self.pages = pages
        self.isClean = isClean
        self.origin = origin
    }

    package var title: Title? { owner.map { Title(identity: $0, shardEpoch: shardEpoch) } }
}

/// `wsm/shard/<n>/page/<p>`: names of records; an absent page is an empty one.
package struct IndexPage: Sendable, Hashable {
    package var nonce: Nonce
    package var shardEpoch: UInt64
    package var names: Set<String>

    package init(nonce: Nonce, shardEpoch: UInt64, names: Set<String>) {
        self.nonce = nonce
        self.shardEpoch = shardEpoch
        self.names = names
    }
}

/// `wsm/conn/<name>`, as far as ownership looks at it.
package struct OwnedRecord: Sendable, Hashable {
    package var nonce: Nonce
    package var shardEpoch: UInt64
    package var isTombstone: Bool
    /// Drawn when the record is created; a name used again gets a new one.
    package var uid: UInt64
    /// Stands for the desired state: which change was the last to be applied.
    package var revision: UInt64
    /// What the shell stores; the protocol does not look inside.
    package var content: [UInt8]

    package init(
        nonce: Nonce, shardEpoch: UInt64, isTombstone: Bool, uid: UInt64, revision: UInt64,
        content: [UInt8] = []
    ) {
        self.nonce = nonce
        self.shardEpoch = shardEpoch
        self.isTombstone = isTombstone
        self.uid = uid
        self.revision = revision
        self.content = content
    }
}

/// The store's version of a value: opaque, compared for equality only.
package struct StoreTag: Sendable, Hashable {
    package var text: String

    package init(_ text: String) {
        self.text = text
    }
}

/// A value with the tag under which the store holds it.
package struct StoredValue: Sendable, Hashable {
    package var value: ClusterValue
    package var tag: StoreTag

    package init(value: ClusterValue, tag: StoreTag) {
        self.value = value
        self.tag = tag
    }
}

/// What a read found under one key. An item with an error is *unread*, which is not absent.
package enum ReadItem: Sendable, Hashable {
    case absent
    case found(StoredValue)
    case failed
}
