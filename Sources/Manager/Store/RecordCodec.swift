import ManagerCore
import Spec

/// Records as JSON, version 1: what stands in the state store.
enum RecordCodec {
    static let version = 1

    // MARK: Shared keys

    static func meta() -> [UInt8] {
        object([
            ("v", .number(version)), ("shards", .number(Shards.count)),
            ("hash", .string(Shards.hashName)),
        ]).serialized()
    }

    static func checkMeta(_ bytes: [UInt8]) throws {
        let fields = try RecordFields(bytes, key: Shards.metaKey)
        let found = try (fields.int("v"), fields.int("shards"), fields.text("hash"))
        guard found == (version, Shards.count, Shards.hashName) else {
            throw StateStoreError(
                message: "\(Shards.metaKey) says version \(found.0), \(found.1) shards, hash "
                    + "\(found.2); this program reads version \(version), \(Shards.count) shards, "
                    + "hash \(Shards.hashName)")
        }
    }

    static func header(epoch: UInt64, pages: Int) -> [UInt8] {
        object([("v", .number(version)), ("shardEpoch", .number(epoch)), ("pages", .number(pages))])
            .serialized()
    }

    static func decodeHeader(_ bytes: [UInt8], key: String) throws -> (epoch: UInt64, pages: Int) {
        let fields = try RecordFields(bytes, key: key)
        let (epoch, pages): (UInt64, Int) = try (
            fields.count("shardEpoch"), fields.count("pages")
        )
        guard pages <= Shards.maxPages else {
            throw StateStoreError(
                message: "\(key) says \(pages) index pages, above \(Shards.maxPages)")
        }
        return (epoch, pages)
    }

    static func page(epoch: UInt64, entries: [String]) -> [UInt8] {
        object([
            ("v", .number(version)), ("shardEpoch", .number(epoch)),
            ("names", .array(entries.map { .string($0) })),
        ]).serialized()
    }

    static func decodePage(_ bytes: [UInt8], key: String) throws -> [String] {
        try RecordFields(bytes, key: key).texts("names")
    }

    static func tombstone(epoch: UInt64) -> [UInt8] {
        object([
            ("v", .number(version)), ("kind", .string("tombstone")),
            ("shardEpoch", .number(epoch)),
        ]).serialized()
    }

    static func isTombstone(_ bytes: [UInt8]) -> Bool {
        (try? JSONValue.parse(bytes))?["kind"] == .string("tombstone")
    }

    /// Of any record, page or header: the epoch of its writer.
    static func epoch(of bytes: [UInt8], key: String) throws -> UInt64 {
        try RecordFields(bytes, key: key).count("shardEpoch")
    }

    // MARK: Connections

    static func encode(_ record: ConnectionRecord) -> [UInt8] {
        let desired = record.desired
        let rest = object([
            ("v", .number(version)), ("kind", .string("live")),
            ("shardEpoch", .number(record.epoch)), ("name", .string(desired.name)),
            ("uid", .string(desired.uid.rawValue)),
            ("generation", .number(desired.generation)),
            ("dialRevision", .number(desired.dialRevision)),
            ("spentDialRevision", .number(desired.spentDialRevision)),
            ("createdAt", .number(desired.createdAt.nanosecondsSinceEpoch)),
            ("keeper", keeper(desired.keeper)),
            ("connectionSet", desired.connectionSet.map { .string($0) }),
            ("labels", map(desired.labels)), ("annotations", map(desired.annotations)),
            ("declared", .array(desired.declared.sorted().map { .string($0) })),
            ("managers", managers(desired)),
            ("topic", desired.overlay.topic.map { .string($0) }),
            ("tags", map(desired.overlay.labels)), ("setAt", times(desired.overlay.setAt)),
            ("provisional", desired.isProvisional ? .bool(true) : nil),
            ("observed", record.observed.map(status)),
        ])
        // The spec writes itself; it goes first so that the rest can be put behind it.
        var bytes = [UInt8](#"{"spec":"#.utf8)
        bytes += SpecJSON.encode(desired.spec)
        bytes.append(UInt8(ascii: ","))
        bytes += rest.serialized().dropFirst()
        return bytes
    }

    static func decodeConnection(_ bytes: [UInt8], key: String) throws -> ConnectionRecord {
        let fields = try RecordFields(bytes, key: key)
        let spec: ConnectionSpec
        do {
            spec = try SpecJSON.decode(fields.value("spec"))
        } catch {
            throw StateStoreError(message: "\(key) holds a spec that cannot be read: \(error)")
        }
        guard let uid = ConnectionUID(rawValue: try fields.text("uid")) else {
            throw StateStoreError(message: "\(key) holds a uid that cannot be read")
        }
        var desired = DesiredConnection(
            name: try fields.text("name"), uid: uid,
            createdAt: WallTime(nanosecondsSinceEpoch: Int64(try fields.int("createdAt"))),
            keeper: try fields.keeper("keeper"), spec: spec,
            declared: Set(try fields.texts("declared")), labels: try fields.map("labels"),
            annotations: try fields.map("annotations"),
            connectionSet: fields.optionalText("connectionSet"))
        desired.generation = Int64(try fields.int("generation"))
        desired.dialRevision = Int64(try fields.int("dialRevision"))
        desired.spentDialRevision = Int64(try fields.int("spentDialRevision"))
        desired.overlay.topic = fields.optionalText("topic")
        desired.overlay.labels = try fields.map("tags")
        desired.overlay.setAt = try fields.times("setAt")
        if let managers = try fields.optionalManagers("managers") { desired.managers = managers }
        desired.isProvisional = fields.isTrue("provisional")
        return ConnectionRecord(
            epoch: try fields.count("shardEpoch"), desired: desired,
            observed: try fields.optional("observed").map { try decodeStatus($0) })
    }

    private static func status(_ status: StoredStatus) -> JSONValue {
        object([
            ("phase", .string(status.phase.rawValue)), ("attempt", .number(status.attempt)),
            ("published", .number(status.published)),
            ("epoch", status.epoch.map { .number($0) }),
            ("connectedAt", status.connectedAt.map { .number($0.nanosecondsSinceEpoch) }),
            (
                "lastError",
                status.lastFailure.map { failure in
                    object([
                        ("class", .string(failure.failureClass.rawValue)),
                        ("code", .string(failure.code)), ("message", .string(failure.message)),
                        ("at", .number(failure.at.nanosecondsSinceEpoch)),
                    ])
                }
            ),
            (
                "lastClose",
                status.lastClose.map { close in
                    object([
                        ("code", .number(Int(close.code))), ("reason", .string(close.reason)),
                        ("by", .string(close.by.rawValue)),
                        ("at", .number(close.at.nanosecondsSinceEpoch)),
                    ])
                }
            ),
        ])
    }

    private static func decodeStatus(_ fields: RecordFields) throws -> StoredStatus {
        var status = StoredStatus(
            phase: Phase(rawValue: try fields.text("phase")) ?? .pending,
            attempt: try fields.int("attempt"), published: try fields.count("published"))
        status.epoch = try? fields.count("epoch")
        status.connectedAt = fields.optionalTime("connectedAt")
        if let failure = try fields.optional("lastError") {
            status.lastFailure = LinkFailure(
                failureClass: FailureClass(rawValue: try failure.text("class")) ?? .transient,
                code: try failure.text("code"), message: try failure.text("message"),
                at: failure.optionalTime("at") ?? WallTime(nanosecondsSinceEpoch: 0))
        }
        if let close = try fields.optional("lastClose") {
            status.lastClose = LinkClose(
                code: UInt16(clamping: try close.int("code")), reason: try close.text("reason"),
                by: LinkClose.Side(rawValue: try close.text("by")) ?? .transport,
                at: close.optionalTime("at") ?? WallTime(nanosecondsSinceEpoch: 0))
        }
        return status
    }

    // MARK: Sets

    static func encode(_ record: ConnectionSetRecord) -> [UInt8] {
        object([
            ("v", .number(version)), ("kind", .string("live")),
            ("shardEpoch", .number(record.epoch)), ("name", .string(record.name)),
            ("uid", .string(record.uid)), ("generation", .number(record.generation)),
            ("createdAt", .number(record.createdAt.nanosecondsSinceEpoch)),
            ("keeper", keeper(record.keeper)),
            ("managers", .array(record.managers.map { .object(members(of: $0)) })),
            ("labels", map(record.labels)),
            ("annotations", map(record.annotations)), ("digest", .string(record.digest)),
            ("canonical", .string(String(decoding: record.canonical, as: UTF8.self))),
            ("members", .array(record.members.map { .string($0) })),
        ]).serialized()
    }

    static func decodeConnectionSet(_ bytes: [UInt8], key: String) throws -> ConnectionSetRecord {
        let fields = try RecordFields(bytes, key: key)
        return ConnectionSetRecord(
            epoch: try fields.count("shardEpoch"), name: try fields.text("name"),
            uid: try fields.text("uid"), generation: Int64(try fields.int("generation")),
            createdAt: WallTime(nanosecondsSinceEpoch: Int64(try fields.int("createdAt"))),
            keeper: try fields.keeper("keeper"), labels: try fields.map("labels"),
            annotations: try fields.map("annotations"),
            canonical: [UInt8](try fields.text("canonical").utf8),
            digest: try fields.text("digest"), members: try fields.texts("members"),
            managers: try fields.optionalObjects("managers")?.map { try $0.owner() })
    }

    // MARK: Parts

    /// Nothing for what an older record means by saying nothing.
    private static func managers(_ desired: DesiredConnection) -> JSONValue? {
        let managers = desired.managers
        if managers == .ofOldRecord(desired.keeper, createdAt: desired.createdAt) { return nil }
        if let sole = managers.sole { return .array([.object(members(of: sole))]) }
        return .array(
            managers.shares.map { share in
                let fields = JSONValue.array(share.fields.sorted().map { .string($0) })
                return .object(members(of: share.owner) + [.init("fields", fields)])
            })
    }

    private static func members(of owner: FieldOwner) -> [JSONValue.Member] {
        [
            .init("manager", .string(owner.manager)),
            .init("since", .number(owner.since.nanosecondsSinceEpoch)),
        ]
    }

    private static func times(_ times: [String: WallTime]) -> JSONValue? {
        times.isEmpty
            ? nil
            : .object(
                times.sorted { $0.key < $1.key }.map {
                    .init($0.key, .number($0.value.nanosecondsSinceEpoch))
                })
    }

    private static func keeper(_ keeper: Keeper) -> JSONValue {
        switch keeper {
        case .grpc: .string("grpc")
        case .applySet(let name): .string("set/\(name)")
        }
    }

    private static func map(_ map: [String: String]) -> JSONValue? {
        map.isEmpty
            ? nil : .object(map.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })
    }

    static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(members.compactMap { key, value in value.map { .init(key, $0) } })
    }
}

extension JSONValue {
    static func number(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }
}
