/// One value of a document, from YAML or JSON, with the place it stands at.
struct Node: Sendable {
    /// Where it begins: the first key of a block mapping, the bracket of a flow one.
    var mark: Mark
    var content: Content

    enum Content: Sendable {
        case scalar(Scalar)
        case sequence([Node])
        case mapping([Entry])
        /// The reader has reported this place already; nothing more is said about it.
        case reported
    }

    /// One key of a mapping and its value. Keys are unique: the reader reports and drops the others.
    struct Entry: Sendable {
        var key: Scalar
        var keyMark: Mark
        var value: Node
    }

    /// What it is, as a sentence says it: `a map`, `a number`.
    var kindName: String {
        switch content {
        case .scalar(let scalar): scalar.kindName
        case .sequence: "a list"
        case .mapping: "a map"
        case .reported: "nothing"
        }
    }

    /// Where a missing key is reported: at the mapping's first key.
    var firstKeyMark: Mark {
        guard case .mapping(let entries) = content, let first = entries.first else { return mark }
        return first.keyMark
    }

    subscript(key: String) -> Entry? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key.text == key }
    }
}
