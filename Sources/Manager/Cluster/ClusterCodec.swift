package import ManagerCore
import Spec

/// What a cluster keeps in the state store, as JSON, version 1.
///
/// Beside its own forms it reads those of a process that was alone on its store, which carry no
/// nonce: so a store can be shared later on.
package enum ClusterCodec {
    package static func storeKey(_ key: ClusterKey) -> String {
        switch key {
        case .meta: Shards.metaKey
        case .slot(let slot): "wsm/member/\(slot)"
        case .header(let shard): Shards.headerKey(shard)
        case .page(let shard, let page): Shards.pageKey(shard, page)
        case .record(let entry): ObjectKey(indexEntry: entry).storeKey
        }
    }

    package static func encode(_ value: ClusterValue) -> [UInt8] {
        switch value {
        case .meta(let meta): encode(meta).serialized()
        case .slot(let slot): encode(slot).serialized()
        case .header(let header): encode(header).serialized()
        case .page(let page): encode(page).serialized()
        case .record(let record): encode(record)
        }
    }

    /// - Throws: ``StateStoreError`` naming the key.
    package static func decode(_ key: ClusterKey, _ bytes: [UInt8]) throws -> ClusterValue {
        let name = storeKey(key)
        switch key {
        case .meta: return .meta(try decodeMeta(bytes))
        case .slot: return .slot(try decodeSlot(try RecordFields(bytes, key: name)))
        case .header: return .header(try decodeHeader(try RecordFields(bytes, key: name)))
        case .page: return .page(try decodePage(try RecordFields(bytes, key: name)))
        case .record: return .record(try record(bytes, key: name))
        }
    }

    // MARK: Meta

    private static func encode(_ meta: ClusterMeta) -> JSONValue {
        RecordCodec.object([
            ("v", .number(RecordCodec.version)), ("shards", .number(meta.shards)),
            ("hash", .string(Shards.hashName)), ("clusterId", .string(meta.clusterID.hex)),
            ("nonce", .string(meta.nonce.text)),
        ])
    }

    private static func decodeMeta(_ bytes: [UInt8]) throws -> ClusterMeta {
        try RecordCodec.checkMeta(bytes)
        let fields = try RecordFields(bytes, key: Shards.metaKey)
        return ClusterMeta(
            nonce: try nonce(fields), clusterID: try fields.incarnation("clusterId"),
            shards: try fields.int("shards"))
    }

    /// Whether this is the meta of a process that is alone on its store.
    static func isOfOneProcess(_ meta: [UInt8]) throws -> Bool {
        try RecordFields(meta, key: Shards.metaKey).optionalText("clusterId") == nil
    }

    // MARK: Slots

    private static func encode(_ slot: RosterSlot) -> JSONValue {
        RecordCodec.object([
            ("v", .number(RecordCodec.version)), ("state", .string(slot.state.word)),
            ("identity", encode(slot.identity)), ("node", .string(slot.node)),
            ("hostId", .string(slot.hostID)), ("locked", .bool(slot.isLocked)),
            ("nonce", .string(slot.nonce.text)), ("address", .string(slot.address)),
            ("weight", .number(slot.weight)), ("cordoned", slot.isCordoned ? .bool(true) : nil),
            ("holdMs", .number(slot.hold.saturatedNanoseconds / 1_000_000)),
        ])
    }

    private static func decodeSlot(_ fields: RecordFields) throws -> RosterSlot {
        guard let state = RosterSlot.State(word: try fields.text("state")) else {
            throw StateStoreError(message: "\(fields.key) holds a state that is not known")
        }
        let hold: Int64 = try fields.count("holdMs")
        var slot = RosterSlot(
            nonce: try nonce(fields), state: state, identity: try identity(fields, "identity"),
            node: try fields.text("node"), hostID: try fields.text("hostId"),
            isLocked: fields.isTrue("locked"), address: try fields.text("address"),
            weight: try fields.count("weight"), hold: .milliseconds(hold))
        slot.isCordoned = fields.isTrue("cordoned")
        return slot
    }

    // MARK: Headers and pages

    private static func encode(_ header: ShardHeader) -> JSONValue {
        RecordCodec.object([
            ("v", .number(RecordCodec.version)), ("shardEpoch", .number(header.shardEpoch)),
            ("pages", .number(header.pages)), ("owner", header.owner.map(encode)),
            ("node", .string(header.node)), ("clean", .bool(header.isClean)),
            ("nonce", .string(header.nonce.text)),
            (
                "prev",
                RecordCodec.object([
                    ("owner", header.origin.owner.map(encode)),
                    ("shardEpoch", .number(header.origin.shardEpoch)),
                    ("how", .string(header.origin.how.word)),
                ])
            ),
        ])
    }

    private static func decodeHeader(_ fields: RecordFields) throws -> ShardHeader {
        let (epoch, pages): (UInt64, Int) = try (fields.count("shardEpoch"), fields.count("pages"))
        guard pages <= Shards.maxPages else {
            throw StateStoreError(
                message: "\(fields.key) says \(pages) index pages, above \(Shards.maxPages)")
        }
        guard let previous = try fields.optional("prev") else {
            // Of a process that was alone, whose lock is free now: nothing of it can land any more.
            return ShardHeader(
                nonce: .none, owner: nil, node: "", shardEpoch: epoch, pages: pages,
                isClean: true, origin: .init(owner: nil, shardEpoch: epoch, how: .release))
        }
        guard let how = ShardHeader.How(word: try previous.text("how")) else {
            throw StateStoreError(message: "\(fields.key) holds a claim of a kind not known")
        }
        let isOwned = fields.object["owner"] != nil
        let hadOwner = previous.object["owner"] != nil
        return ShardHeader(
            nonce: try nonce(fields), owner: isOwned ? try identity(fields, "owner") : nil,
            node: try fields.text("node"), shardEpoch: epoch, pages: pages,
            isClean: fields.isTrue("clean"),
            origin: .init(
                owner: hadOwner ? try identity(previous, "owner") : nil,
                shardEpoch: try previous.count("shardEpoch"), how: how))
    }

    private static func encode(_ page: IndexPage) -> JSONValue {
        RecordCodec.object([
            ("v", .number(RecordCodec.version)), ("shardEpoch", .number(page.shardEpoch)),
            ("nonce", .string(page.nonce.text)),
            ("names", .array(page.names.sorted().map { .string($0) })),
        ])
    }

    private static func decodePage(_ fields: RecordFields) throws -> IndexPage {
        IndexPage(
            nonce: try nonce(fields), shardEpoch: try fields.count("shardEpoch"),
            names: Set(try fields.texts("names")))
    }

    // MARK: Parts

    static func encode(_ identity: Identity) -> JSONValue {
        RecordCodec.object([
            ("slot", .number(identity.slot)), ("slotEpoch", .number(identity.slotEpoch)),
            ("incarnation", .string(identity.incarnation.hex)),
        ])
    }

    static func identity(_ fields: RecordFields, _ name: String) throws -> Identity {
        guard let part = try fields.optional(name) else {
            throw StateStoreError(message: "\(fields.key) lacks \(name)")
        }
        return Identity(
            slot: try part.count("slot"), slotEpoch: try part.count("slotEpoch"),
            incarnation: try part.incarnation("incarnation"))
    }

    /// What a process that was alone wrote has none.
    static func nonce(_ fields: RecordFields) throws -> Nonce {
        guard let text = fields.optionalText("nonce") else { return .none }
        guard let nonce = Nonce(text: text) else {
            throw StateStoreError(message: "\(fields.key) holds a nonce that cannot be read")
        }
        return nonce
    }
}

extension RecordFields {
    func incarnation(_ name: String) throws -> Incarnation {
        guard let incarnation = Incarnation(hex: try text(name)) else {
            throw StateStoreError(message: "\(key) holds a \(name) that cannot be read")
        }
        return incarnation
    }
}

// MARK: Words of the enumerations

extension RosterSlot.State {
    private static let words: [(RosterSlot.State, String)] = [
        (.free, "free"), (.alive, "alive"), (.draining, "draining"), (.away, "away"),
        (.dead, "dead"),
    ]

    package var word: String { Self.words.first { $0.0 == self }?.1 ?? "" }

    package init?(word: String) {
        guard let found = Self.words.first(where: { $0.1 == word }) else { return nil }
        self = found.0
    }
}

extension ShardHeader.How {
    private static let words: [(ShardHeader.How, String)] = [
        (.first, "first"), (.takeover, "takeover"), (.handover, "handover"),
        (.release, "release"), (.reclaim, "reclaim"),
    ]

    package var word: String { Self.words.first { $0.0 == self }?.1 ?? "" }

    package init?(word: String) {
        guard let found = Self.words.first(where: { $0.1 == word }) else { return nil }
        self = found.0
    }
}
