import ManagerCore
import Spec

extension RecordCodec {
    static func encode(_ record: ApplySetRecord) -> [UInt8] {
        object([
            ("v", .number(version)), ("kind", .string("live")),
            ("shardEpoch", .number(record.epoch)), ("name", .string(record.name)),
            ("uid", .string(record.uid)),
            ("connections", .array(record.connections.sorted().map { .string($0) })),
            ("connectionSets", .array(record.connectionSets.sorted().map { .string($0) })),
            ("history", .array(record.history.map(revision))),
            (
                "dropped",
                record.dropped.isEmpty ? nil : .array(record.dropped.sorted().map { .number($0) })
            ),
        ]).serialized()
    }

    private static func revision(_ revision: ApplySetRecord.Revision) -> JSONValue {
        object([
            ("revision", .number(revision.number)), ("digest", .string(revision.digest)),
            ("by", .string(revision.by)),
            ("at", .number(revision.at.nanosecondsSinceEpoch)),
            ("summary", .string(revision.summary)),
            ("pages", revision.content.map { .number($0.pages) }),
            ("bytes", revision.content.map { .number($0.bytes) }),
            ("underDigest", revision.content?.isUnderDigest == true ? .bool(true) : nil),
        ])
    }

    static func decodeApplySet(_ bytes: [UInt8], key: String) throws -> ApplySetRecord {
        let fields = try RecordFields(bytes, key: key)
        var record = ApplySetRecord(
            epoch: try fields.count("shardEpoch"), name: try fields.text("name"),
            uid: try fields.text("uid"))
        record.connections = Set(try fields.texts("connections"))
        record.connectionSets = Set(try fields.texts("connectionSets"))
        record.history = try fields.objects("history").map(decodeRevision)
        record.dropped = Set(try fields.optionalNumbers("dropped").map { Int64($0) })
        return record
    }

    private static func decodeRevision(_ fields: RecordFields) throws -> ApplySetRecord.Revision {
        var revision = ApplySetRecord.Revision(
            number: Int64(try fields.int("revision")), digest: try fields.text("digest"),
            by: try fields.text("by"),
            at: fields.optionalTime("at") ?? WallTime(nanosecondsSinceEpoch: 0),
            summary: try fields.text("summary"))
        // Revisions older than this keep no manifests.
        if let pages = try? fields.int("pages"), let bytes = try? fields.int("bytes"),
            (0...RevisionKey.maxPages).contains(pages), bytes >= 0
        {
            revision.content = ApplySetRecord.Content(
                pages: pages, bytes: bytes, isUnderDigest: fields.isTrue("underDigest"))
        }
        return revision
    }

    // MARK: Pages of a revision

    static func revisionPage(_ key: RevisionKey, epoch: UInt64, text: String) -> [UInt8] {
        object([
            ("v", .number(version)), ("kind", .string("revision")), ("shardEpoch", .number(epoch)),
            ("set", .string(key.set)), ("revision", .number(key.revision)),
            ("page", .number(key.page)), ("text", .string(text)),
        ]).serialized()
    }

    static func decodeRevisionPage(_ bytes: [UInt8], key: RevisionKey) throws -> String {
        try RecordFields(bytes, key: key.storeKey).text("text")
    }
}
