/// A tag as the port's users hold it: the store's own and the stamp of the value, bound to the key.
///
/// Some stores take a compare-and-set of an absent key for a create. Whoever holds a tag has seen
/// the key; a tag of another key, or one that was made up, is a conflict without a call.
struct BoundTag: Sendable, Hashable {
    /// Of the store.
    var etag: String
    /// Of the value that was read under the tag.
    var stamp: Stamp
    private var key: String

    init(_ etag: String, stamp: Stamp, of key: String) {
        self.etag = etag
        self.stamp = stamp
        self.key = key
    }

    /// - Returns: `nil` if the text is no tag of this key, or one under which nothing is any more.
    init?(_ text: String, of key: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].utf8.count == 16,
            let stamp = Stamp(digits: parts[1].utf8), parts[2] == Self.digest(of: key)
        else { return nil }
        self.init(String(parts[0]), stamp: stamp, of: key)
    }

    /// The text of the port; some stores' tags are longer, none has an `@`.
    var text: String { "\(etag)@\(stamp)@\(Self.digest(of: key))" }

    /// Of a write that took effect and was replaced before its tag was read.
    static let ofReplaced = "replaced"

    /// FNV-1a, 64 bits: no secret; a mistake is what is to be found.
    private static func digest(of key: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x0000_0100_0000_01b3
        }
        return String(hash, radix: 36)
    }
}
