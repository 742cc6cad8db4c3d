internal import Spec

/// What `explain FIELD` prints.
struct ExplainReport: Presentable {
    let match: FieldCatalog.Match
    let isRecursive: Bool

    private var entry: FieldEntry { match.entry }

    func table(_ canvas: Canvas) -> String {
        let kind = canvas.style(match.kind.rawValue, .heading)
        var text = entry.path.isEmpty ? "\(kind)\n" : "\(kind) \(entry.path)\n"
        text += "\n  \(Self.plain(entry.summary))\n"
        let facts = facts
        if !facts.isEmpty {
            text += "\n"
            for (name, fact) in facts {
                let gap = String(repeating: " ", count: 9 - name.utf8.count)
                text += "  \(canvas.style(name, .faint))\(gap)\(fact)\n"
            }
        }
        if let example = exampleText { text += "\n" + Self.indented(example, by: 2) }
        if !entry.children.isEmpty { text += "\n" + fields(canvas) }
        return text
    }

    /// What is known of a field that is no group: name and text.
    private var facts: [(String, String)] {
        guard !entry.path.isEmpty else { return [] }
        let form = entry.typeForm.map { ": " + Self.plain($0) } ?? ""
        var facts = [("type", Self.plain(entry.typeName) + form)]
        if !entry.rangeText.isEmpty { facts.append(("range", Self.plain(entry.rangeText))) }
        if !entry.defaultText.isEmpty, entry.defaultText != "–" {
            facts.append(("default", Self.plain(entry.defaultText)))
        }
        if let meaning = entry.editMeaning { facts.append(("edit", Self.plain(meaning))) }
        return facts
    }

    /// The example as it stands in a manifest.
    private var exampleText: String? {
        guard let example = entry.example else { return nil }
        let keys = entry.path.split(separator: ".").map(String.init)
        let document = keys.reversed().reduce(example) { .object([.init($1, $0)]) }
        return ManifestRenderer.yaml(document)
    }

    private func fields(_ canvas: Canvas) -> String {
        let prefix = entry.path.isEmpty ? 0 : entry.path.count + 1
        let shown = isRecursive ? Array(entry.flattened.dropFirst()) : entry.children
        var table = Table(columns: [
            .init(title: "FIELD"), .init(title: "TYPE", shrink: .end(8)),
            .init(title: "EDIT", shrink: .end(6)), .init(title: "WHAT IT IS", shrink: .end(20)),
        ])
        table.rows = shown.map { child in
            [
                String(child.path.dropFirst(prefix)), child.typeName,
                child.editText.isEmpty ? "–" : child.editText, child.summary,
            ].map(Self.plain)
        }
        return table.render(width: canvas.width, style: canvas.style)
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", "wsm.virtufin.com/v1")
        object.text("kind", "Explanation")
        object.text("object", match.kind.rawValue)
        object.value("field", Self.json(entry, isRecursive: isRecursive, depth: 0))
        return object.object
    }

    var names: [String] {
        (isRecursive ? entry.flattened : [entry] + entry.children).map(\.path)
            .filter { !$0.isEmpty }
    }

    private static func json(_ entry: FieldEntry, isRecursive: Bool, depth: Int) -> JSONValue {
        var object = JSONObjectBuilder()
        object.text("path", entry.path)
        object.text("type", plain(entry.typeName))
        object.textIfAny("range", plain(entry.rangeText))
        object.textIfAny("default", entry.defaultText == "–" ? "" : plain(entry.defaultText))
        if let meaning = entry.editMeaning {
            object.text("edit", plain(entry.editText))
            object.text("editMeaning", plain(meaning))
        }
        object.text("summary", plain(entry.summary))
        if let example = entry.example { object.value("example", example) }
        if !entry.children.isEmpty, depth == 0 || isRecursive {
            let fields = entry.children.map {
                json($0, isRecursive: isRecursive, depth: depth + 1)
            }
            object.list("fields", fields)
        }
        return object.object
    }

    /// Without the marks of the reference page.
    static func plain(_ text: String) -> String { text.filter { $0 != "`" } }

    private static func indented(_ text: String, by count: Int) -> String {
        let blanks = String(repeating: " ", count: count)
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "" : blanks + $0 }.joined(separator: "\n")
    }
}

/// What `explain` prints without a field.
struct KindsReport: Presentable {
    let kinds: [FieldCatalog.Match]
    let isRecursive: Bool

    private var reports: [ExplainReport] {
        kinds.map { ExplainReport(match: $0, isRecursive: isRecursive) }
    }

    func table(_ canvas: Canvas) -> String {
        if isRecursive { return reports.map { $0.table(canvas) }.joined(separator: "\n") }
        var table = Table(columns: [.init(title: "KIND"), .init(title: "WHAT IT IS")])
        table.rows = kinds.map { [$0.kind.rawValue, $0.entry.summary] }
        return table.render(width: canvas.width, style: canvas.style)
    }

    var json: JSONValue {
        var object = JSONObjectBuilder()
        object.text("apiVersion", "wsm.virtufin.com/v1")
        object.text("kind", "List")
        object.list("items", reports.map(\.json))
        return object.object
    }

    var names: [String] { kinds.map(\.kind.rawValue) }
}
