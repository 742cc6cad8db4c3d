/// The field table by the keys of a manifest: `keepalive` is a group, `topic` a field.
struct FieldTree: Sendable {
    enum Branch: Sendable {
        /// An index of ``FieldTable/fields``.
        case field(Int)
        case group(FieldTree)
    }

    private(set) var branches: [String: Branch] = [:]
    /// The keys in the order of canonical JSON.
    private(set) var sortedKeys: [String] = []
    /// The branches in that order, each with its key as JSON writes it.
    private(set) var sorted: [(quotedKey: [UInt8], branch: Branch)] = []

    static let root: FieldTree = {
        var root = FieldTree()
        for (index, field) in FieldTable.fields.enumerated() {
            root.insert(field.path.split(separator: ".").map(String.init)[...], index)
        }
        return root
    }()

    /// Field path → index.
    static let indices: [String: Int] = Dictionary(
        uniqueKeysWithValues: FieldTable.fields.enumerated().map { ($1.path, $0) })

    private mutating func insert(_ keys: ArraySlice<String>, _ index: Int) {
        guard let key = keys.first else { return }
        if keys.count == 1 {
            branches[key] = .field(index)
        } else {
            var tree = FieldTree()
            if case .group(let existing)? = branches[key] { tree = existing }
            tree.insert(keys.dropFirst(), index)
            branches[key] = .group(tree)
        }
        sortedKeys = branches.keys.sorted(by: JSONWriter.isBefore)
        sorted = sortedKeys.compactMap { key in
            branches[key].map { (Array("\"\(key)\":".utf8), $0) }
        }
    }

    /// ` (did you mean …?)` for a key that is not here: a key of this group, or a field elsewhere
    /// whose last part it is.
    func hint(_ key: String) -> String {
        if let near = Suggestion.nearest(key, among: sortedKeys) {
            return " (did you mean \(near)?)"
        }
        let elsewhere = FieldTable.fields.first { $0.path.hasSuffix(".\(key)") }
        return elsewhere.map { " (did you mean \($0.path)?)" } ?? ""
    }
}
