package import ManagerCore
import Spec

/// Records: an envelope of what the protocol looks at, around the bytes of ``RecordCodec``.
extension ClusterCodec {
    /// What stands before the content. Everything ahead of it is written here and holds no text of
    /// a user, so the first place where it occurs is the place.
    private static let contentMark = Array(#","record":"#.utf8)

    static func encode(_ record: OwnedRecord) -> [UInt8] {
        var text = #"{"v":\#(RecordCodec.version),"kind":"#
        text += record.isTombstone ? #""tombstone""# : #""live""#
        text += #","nonce":"\#(record.nonce.text)","shardEpoch":\#(record.shardEpoch)"#
        text += #","uid":"\#(record.uid.hex)","revision":\#(record.revision)"#
        var bytes = Array(text.utf8)
        if !record.content.isEmpty {
            bytes += contentMark
            bytes += record.content
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// A record as it stands in the store, with its content.
    /// - Throws: ``StateStoreError`` naming the key.
    package static func record(_ bytes: [UInt8], key: String) throws -> OwnedRecord {
        guard let mark = bytes.firstRange(of: contentMark), bytes.last == UInt8(ascii: "}") else {
            return try withoutContent(bytes, key: key)
        }
        let envelope = try RecordFields(Array(bytes[..<mark.lowerBound]) + [0x7D], key: key)
        guard envelope.object["nonce"] != nil else { return try ofOneProcess(bytes, key: key) }
        return try record(envelope, content: Array(bytes[mark.upperBound..<(bytes.count - 1)]))
    }

    private static func withoutContent(_ bytes: [UInt8], key: String) throws -> OwnedRecord {
        let fields = try RecordFields(bytes, key: key)
        guard fields.object["nonce"] != nil else { return try ofOneProcess(bytes, key: key) }
        return try record(fields, content: [])
    }

    private static func record(_ fields: RecordFields, content: [UInt8]) throws -> OwnedRecord {
        guard let uid = UInt64(try fields.text("uid"), radix: 16) else {
            throw StateStoreError(message: "\(fields.key) holds a uid that cannot be read")
        }
        return OwnedRecord(
            nonce: try nonce(fields), shardEpoch: try fields.count("shardEpoch"),
            isTombstone: try fields.text("kind") == "tombstone", uid: uid,
            revision: try fields.count("revision"), content: content)
    }

    /// What a process wrote that was alone on the store: the content itself.
    private static func ofOneProcess(_ bytes: [UInt8], key: String) throws -> OwnedRecord {
        let fields = try RecordFields(bytes, key: key)
        let isTombstone = try fields.text("kind") == "tombstone"
        return OwnedRecord(
            nonce: .none, shardEpoch: try fields.count("shardEpoch"), isTombstone: isTombstone,
            uid: isTombstone ? 0 : LiveRecord.key(ofUID: try fields.text("uid")), revision: 0,
            content: isTombstone ? [] : bytes)
    }
}

extension UInt64 {
    /// Sixteen digits.
    var hex: String {
        let digits = String(self, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Incarnation {
    package var hex: String { high.hex + low.hex }

    package init?(hex: String) {
        guard hex.utf8.count == 32, let high = UInt64(hex.prefix(16), radix: 16),
            let low = UInt64(hex.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }
}

extension Nonce {
    /// Of values that were written without one.
    static let none = Nonce(author: Incarnation(high: 0, low: 0), counter: 0)

    var text: String { "\(author.hex):\(counter)" }

    init?(text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let author = Incarnation(hex: String(parts[0])),
            let counter = UInt64(parts[1])
        else { return nil }
        self.init(author: author, counter: counter)
    }
}
