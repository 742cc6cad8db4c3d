/// Finds the places of a manifest by name, made from the field table.
package enum FieldCatalog {
    /// What a name stands for.
    package struct Match: Sendable {
        package let kind: ObjectKind
        package let entry: FieldEntry
    }

    /// The kinds with their whole documents.
    package static let kinds = ObjectKind.allCases.map { Match(kind: $0, entry: document($0)) }

    /// A whole document of a kind.
    static func document(_ kind: ObjectKind) -> FieldEntry {
        switch kind {
        case .connection: connection
        case .connectionSet: connectionSet
        }
    }

    /// Finds `Connection`, `connection.spec.keepalive`, `spec.tls`, `keepalive.pingInterval` or
    /// `onOpen[].text`. Where no kind is named a `Connection` comes first, and `spec` may be left out.
    /// - Throws: A sentence that names the nearest field.
    package static func find(_ name: String) throws(SyntaxProblem) -> Match {
        var keys = keys(of: name)[...]
        var kinds = ObjectKind.allCases
        if let word = keys.first, let kind = kind(named: word) {
            kinds = [kind]
            keys = keys.dropFirst()
        }
        for kind in kinds {
            let root = document(kind)
            for start in [root, root.child("spec")].compactMap(\.self) {
                if let entry = walk(from: start, keys) { return Match(kind: kind, entry: entry) }
            }
        }
        let written = keys.joined(separator: ".")
        throw SyntaxProblem("\"\(name)\" is no field" + hint(written, last: keys.last, kinds))
    }

    /// The names ``find(_:)`` knows, without a kind and without `spec`.
    package static var names: [String] {
        var seen: Set<String> = []
        return ObjectKind.allCases.flatMap { names(of: $0) }.filter { seen.insert($0).inserted }
    }

    private static func names(of kind: ObjectKind) -> [String] {
        document(kind).flattened.map(\.path).filter { !$0.isEmpty && $0 != "spec" }
            .map { $0.hasPrefix("spec.") ? String($0.dropFirst("spec.".count)) : $0 }
    }

    private static func kind(named word: String) -> ObjectKind? {
        let word = word.lowercased()
        return ObjectKind.allCases.first { kind in
            let name = kind.rawValue.lowercased()
            return word == name || word == name + "s"
        }
    }

    private static func walk(from start: FieldEntry, _ keys: ArraySlice<String>) -> FieldEntry? {
        var entry = start
        for key in keys {
            guard let next = entry.child(key) else { return nil }
            entry = next
        }
        return entry
    }

    private static func hint(_ written: String, last: String?, _ kinds: [ObjectKind]) -> String {
        let known = ObjectKind.allCases.map(\.rawValue) + kinds.flatMap { names(of: $0) }
        if let near = Suggestion.nearest(written, among: known) {
            return " (did you mean \(near)?)"
        }
        guard let last else { return "" }
        let byLast = Dictionary(
            known.map { (keys(of: $0).last ?? $0, $0) }, uniquingKeysWith: { first, _ in first })
        guard let near = Suggestion.nearest(last, among: byLast.keys.sorted()) else { return "" }
        return byLast[near].map { " (did you mean \($0)?)" } ?? ""
    }

    /// Takes a path apart; `[]` and `[0]` stand for the items of a list and count for nothing.
    static func keys(of path: String) -> [String] {
        var keys: [String] = []
        var rest = path[...]
        while let first = rest.first {
            if first == "." {
                rest = rest.dropFirst()
            } else if first == "[" {
                let inner = rest.dropFirst().prefix { $0 != "]" }
                if !inner.allSatisfy(\.isNumber) { keys.append(String(inner)) }
                rest = rest[inner.endIndex...].dropFirst()
            } else {
                let key = rest.prefix { $0 != "." && $0 != "[" }
                keys.append(String(key))
                rest = rest[key.endIndex...]
            }
        }
        return keys
    }
}

extension FieldCatalog {
    private static let connection: FieldEntry = {
        var root = frame(.connection, spec: "What is declared of the connection.")
        for field in FieldTable.fields {
            root.place((["spec"] + keys(of: field.path))[...]) { entry in
                entry.fill(FieldTable.row(field))
                entry.example = field.example
            }
        }
        fill(&root, FieldTable.elementRows, below: ["spec"])
        for (path, summary) in FieldTable.groupSummaries {
            root.place((["spec"] + keys(of: path))[...]) { $0.summary = summary }
        }
        return root
    }()

    private static let connectionSet: FieldEntry = {
        var root = frame(
            .connectionSet, spec: "The rows of variables, and what each member declares.")
        fill(&root, FieldTable.setRows, below: ["spec"])
        root.place(["spec", "template"]) { entry in
            entry.summary = "What each member declares; strings may hold {{variable}}."
        }
        root.place(["spec", "template", "metadata"]) { entry in
            entry.summary = "Labels and annotations of the members."
        }
        let members = connection.child("spec")?.children ?? []
        root.place(["spec", "template", "spec"]) { entry in
            let path = entry.path
            entry.children = members.map { $0.moved(to: "\(path).\($0.name)") }
        }
        return root
    }()

    /// What both kinds have, in the order of a manifest.
    private static func frame(_ kind: ObjectKind, spec: String) -> FieldEntry {
        var root = FieldEntry(name: kind.rawValue, path: "")
        root.summary = kind.summary
        for key in ["apiVersion", "kind", "metadata", "spec", "status"] {
            root.place([key]) { _ in }
        }
        fill(&root, FieldTable.commonRows, below: [])
        root.place(["metadata"]) { $0.summary = "The object's name, and notes of its authors." }
        root.place(["spec"]) { $0.summary = spec }
        return root
    }

    private static func fill(
        _ root: inout FieldEntry, _ rows: [FieldTable.Row], below prefix: [String]
    ) {
        for row in rows {
            for path in places(of: row.path) {
                root.place((prefix + keys(of: path))[...]) { $0.fill(row) }
            }
        }
    }

    /// The places a row of the reference stands for: `a.b, .c; d` is `a.b`, `a.c` and `d`.
    private static func places(of row: String) -> [String] {
        let parts = row.split { $0 == "," || $0 == ";" }.map { part in
            String(part.drop { $0 == " " })
        }
        guard let first = parts.first, parts.count > 1 else { return parts }
        let group = first.prefix(upTo: first.lastIndex(of: ".") ?? first.endIndex)
        return parts.map { $0.hasPrefix(".") ? group + $0 : $0 }
    }
}

extension FieldEntry {
    fileprivate mutating func fill(_ row: FieldTable.Row) {
        typeName = row.typeName
        defaultText = row.defaultText
        rangeText = row.rangeText
        editText = row.editText
        summary = row.summary
    }
}
