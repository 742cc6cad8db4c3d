/// One place of a manifest and all there is to say of it.
package struct FieldEntry: Sendable {
    /// The last part of the path: `pingInterval`.
    package let name: String
    /// From the document on: `spec.keepalive.pingInterval`; empty for the document itself.
    package let path: String
    package internal(set) var typeName = "map"
    /// As in the reference; empty for a group of fields.
    package internal(set) var defaultText = ""
    package internal(set) var rangeText = ""
    /// A word of ``EditEffect``, or what an edit does to the object; empty for a group of fields.
    package internal(set) var editText = ""
    package internal(set) var summary = ""
    package internal(set) var example: JSONValue?
    package internal(set) var children: [FieldEntry] = []

    init(name: String, path: String) {
        self.name = name
        self.path = path
    }

    /// How a value of the type is written; `nil` where the type's name says it.
    package var typeForm: String? {
        FieldTable.typeForms.first { typeName == $0.name || typeName.hasPrefix($0.name + " ") }?
            .form
    }

    /// What an edit does to a live socket, in words; `nil` for a group of fields.
    package var editMeaning: String? {
        guard !editText.isEmpty, editText != "–" else { return nil }
        let effect = EditEffect.allCases.first { $0.word == editText }
        return effect.map { "\($0.word): \($0.meaning)" } ?? editText
    }

    /// This entry and all below it.
    package var flattened: [FieldEntry] { [self] + children.flatMap(\.flattened) }

    func child(_ name: String) -> FieldEntry? {
        children.first { $0.name == name }
    }

    /// The entry at a place below, made with all entries on the way where it is not there.
    mutating func place(_ keys: ArraySlice<String>, _ change: (inout FieldEntry) -> Void) {
        guard let key = keys.first else {
            change(&self)
            return
        }
        let index = children.firstIndex { $0.name == key }
        if index == nil {
            children.append(FieldEntry(name: key, path: Self.path(of: key, in: path)))
        }
        children[index ?? children.count - 1].place(keys.dropFirst(), change)
    }

    private static func path(of key: String, in path: String) -> String {
        if key.contains(".") { return "\(path)[\(key)]" }
        return path.isEmpty ? key : "\(path).\(key)"
    }

    /// The same entries at another place of a document.
    func moved(to path: String) -> FieldEntry {
        var entry = FieldEntry(name: name, path: path)
        entry.typeName = typeName
        entry.defaultText = defaultText
        entry.rangeText = rangeText
        entry.editText = editText
        entry.summary = summary
        entry.children = children.map { $0.moved(to: "\(path).\($0.name)") }
        return entry
    }
}
