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
        let fields = try Fields(bytes, key: Shards.metaKey)
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
        let fields = try Fields(bytes, key: key)
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
        try Fields(bytes, key: key).texts("names")
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
        try Fields(bytes, key: key).count("shardEpoch")
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
            ("topic", desired.overlay.topic.map { .string($0) }),
            ("tags", map(desired.overlay.labels)),
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
        let fields = try Fields(bytes, key: key)
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

    private static func decodeStatus(_ fields: Fields) throws -> StoredStatus {
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
            ("keeper", keeper(record.keeper)), ("labels", map(record.labels)),
            ("annotations", map(record.annotations)), ("digest", .string(record.digest)),
            ("canonical", .string(String(decoding: record.canonical, as: UTF8.self))),
            ("members", .array(record.members.map { .string($0) })),
        ]).serialized()
    }

    static func decodeConnectionSet(_ bytes: [UInt8], key: String) throws -> ConnectionSetRecord {
        let fields = try Fields(bytes, key: key)
        return ConnectionSetRecord(
            epoch: try fields.count("shardEpoch"), name: try fields.text("name"),
            uid: try fields.text("uid"), generation: Int64(try fields.int("generation")),
            createdAt: WallTime(nanosecondsSinceEpoch: Int64(try fields.int("createdAt"))),
            keeper: try fields.keeper("keeper"), labels: try fields.map("labels"),
            annotations: try fields.map("annotations"),
            canonical: [UInt8](try fields.text("canonical").utf8),
            digest: try fields.text("digest"), members: try fields.texts("members"))
    }

    static func encode(_ record: ApplySetRecord) -> [UInt8] {
        object([
            ("v", .number(version)), ("kind", .string("live")),
            ("shardEpoch", .number(record.epoch)), ("name", .string(record.name)),
            ("uid", .string(record.uid)),
            ("connections", .array(record.connections.sorted().map { .string($0) })),
            ("connectionSets", .array(record.connectionSets.sorted().map { .string($0) })),
            (
                "history",
                .array(
                    record.history.map { revision in
                        object([
                            ("revision", .number(revision.number)),
                            ("digest", .string(revision.digest)), ("by", .string(revision.by)),
                            ("at", .number(revision.at.nanosecondsSinceEpoch)),
                            ("summary", .string(revision.summary)),
                        ])
                    })
            ),
        ]).serialized()
    }

    static func decodeApplySet(_ bytes: [UInt8], key: String) throws -> ApplySetRecord {
        let fields = try Fields(bytes, key: key)
        var record = ApplySetRecord(
            epoch: try fields.count("shardEpoch"), name: try fields.text("name"),
            uid: try fields.text("uid"))
        record.connections = Set(try fields.texts("connections"))
        record.connectionSets = Set(try fields.texts("connectionSets"))
        record.history = try fields.objects("history").map { revision in
            ApplySetRecord.Revision(
                number: Int64(try revision.int("revision")), digest: try revision.text("digest"),
                by: try revision.text("by"),
                at: revision.optionalTime("at") ?? WallTime(nanosecondsSinceEpoch: 0),
                summary: try revision.text("summary"))
        }
        return record
    }

    // MARK: Parts

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

    private static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
        .object(members.compactMap { key, value in value.map { .init(key, $0) } })
    }
}

extension JSONValue {
    static func number(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }
}

/// The members of one record, each asked for by name, with the record's key for the error.
private struct Fields {
    let object: JSONValue
    let key: String

    init(_ bytes: [UInt8], key: String) throws {
        do {
            object = try JSONValue.parse(bytes)
        } catch {
            throw StateStoreError(message: "\(key) is not JSON: \(error)")
        }
        self.key = key
        // What `wsm/meta` says is told by ``RecordCodec/checkMeta(_:)``, with more words.
        guard key != Shards.metaKey else { return }
        let found = try int("v")
        guard found == RecordCodec.version else {
            throw StateStoreError(
                message: "\(key) is of version \(found); this program reads version "
                    + "\(RecordCodec.version)")
        }
    }

    private init(object: JSONValue, key: String) {
        self.object = object
        self.key = key
    }

    private func missing(_ name: String) -> StateStoreError {
        StateStoreError(message: "\(key) lacks \(name), or holds it in another form")
    }

    func value(_ name: String) throws -> JSONValue {
        guard let value = object[name] else { throw missing(name) }
        return value
    }

    func text(_ name: String) throws -> String {
        guard let text = optionalText(name) else { throw missing(name) }
        return text
    }

    func optionalText(_ name: String) -> String? {
        guard case .string(let text) = object[name] else { return nil }
        return text
    }

    func int(_ name: String) throws -> Int {
        guard case .number(let text) = object[name], let value = Int(text) else {
            throw missing(name)
        }
        return value
    }

    /// An int that is not negative.
    func count<Number: FixedWidthInteger>(_ name: String) throws -> Number {
        guard let value = Number(exactly: try int(name)), value >= 0 else { throw missing(name) }
        return value
    }

    func optionalTime(_ name: String) -> WallTime? {
        (try? int(name)).map { WallTime(nanosecondsSinceEpoch: Int64($0)) }
    }

    func isTrue(_ name: String) -> Bool { object[name] == .bool(true) }

    func texts(_ name: String) throws -> [String] {
        guard case .array(let items) = object[name] else { throw missing(name) }
        return try items.map { item in
            guard case .string(let text) = item else { throw missing(name) }
            return text
        }
    }

    func objects(_ name: String) throws -> [Fields] {
        guard case .array(let items) = object[name] else { throw missing(name) }
        return items.map { Fields(object: $0, key: key) }
    }

    func optional(_ name: String) throws -> Fields? {
        guard let value = object[name] else { return nil }
        guard case .object = value else { throw missing(name) }
        return Fields(object: value, key: "\(key).\(name)")
    }

    func map(_ name: String) throws -> [String: String] {
        guard let fields = try optional(name), case .object(let members) = fields.object else {
            return [:]
        }
        var map: [String: String] = [:]
        for member in members {
            guard case .string(let text) = member.value else { throw missing(name) }
            map[member.key] = text
        }
        return map
    }

    func keeper(_ name: String) throws -> Keeper {
        let text = try text(name)
        if text == "grpc" { return .grpc }
        guard text.hasPrefix("set/") else { throw missing(name) }
        return .applySet(String(text.dropFirst(4)))
    }
}
