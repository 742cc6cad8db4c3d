import ManagerCore

/// A value as it lies in a store that does not tell writers of their tags: with a stamp of its
/// write before it, so that a writer who reads it back knows whether it is theirs.
///
/// Comparing values would not do: two writers may write the same bytes, and only one of them won.
/// The stamp is one line of text, `wsm1 <UUID>`, so that a record can still be read by eye.
struct StampedValue: Sendable, Hashable {
    /// The first line, in bytes.
    static let stampBytes = 5 + 36 + 1
    private static let mark = [UInt8]("wsm1 ".utf8)

    var stamp: UUIDBytes
    var value: [UInt8]

    init(stamp: UUIDBytes, value: [UInt8]) {
        self.stamp = stamp
        self.value = value
    }

    /// - Returns: `nil` if this is not a value that was written with a stamp.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.stampBytes, bytes.starts(with: Self.mark),
            bytes[Self.stampBytes - 1] == UInt8(ascii: "\n"),
            let stamp = UUIDBytes(text: bytes[Self.mark.count..<Self.stampBytes - 1])
        else { return nil }
        self.init(stamp: stamp, value: Array(bytes[Self.stampBytes...]))
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.stampBytes + value.count)
        bytes += Self.mark
        stamp.appendText(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        bytes += value
        return bytes
    }
}

/// A tag as the port's users hold it: the store's own, bound to its key.
///
/// Some stores take a compare-and-set of an absent key for a create. Whoever holds a tag has seen
/// the key; a tag of another key, or one that was made up, is a conflict without a call.
struct BoundTag: Sendable, Hashable {
    /// Of the store; `nil` for a write that took effect but was replaced before its tag was read:
    /// nothing can be written under it any more.
    var etag: String?
    private var key: String

    init(_ etag: String?, of key: String) {
        self.etag = etag
        self.key = key
    }

    /// - Returns: `nil` if the text is no tag of this key.
    init?(_ text: String, of key: String) {
        guard let at = text.lastIndex(of: "@"),
            text[text.index(after: at)...] == Self.digest(of: key)
        else { return nil }
        let etag = String(text[..<at])
        self.init(etag.isEmpty ? nil : etag, of: key)
    }

    var text: String { "\(etag ?? "")@\(Self.digest(of: key))" }

    /// FNV-1a, 64 bits: no secret, and a mistake is what is to be found.
    private static func digest(of key: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x0000_0100_0000_01b3
        }
        return String(hash, radix: 36)
    }
}
