extension FieldTable {
    /// The reference page `docs/manifest.md`, made from this table and nothing else.
    package static func markdown() -> String {
        var page = introduction
        page += "\n## All kinds\n\n" + table(commonRows)
        page += "\n## Connection: `spec`\n"
        let sections: [(title: String, fields: [Field])] = [
            ("Where and what", whereAndWhat), ("After the upgrade", afterUpgrade),
            ("Alive", alive), ("Messages", messages), ("Correlated send", correlation),
            ("Transport", transport + compression),
        ]
        for (title, fields) in sections {
            let prefixes = Set(fields.map { $0.path.prefix { $0 != "." && $0 != "[" } })
            let elements = elementRows.filter { row in
                prefixes.contains(row.path.prefix { $0 != "." && $0 != "[" })
            }
            let rows = fields.map(row) + elements
            page += "\n### \(title)\n\n" + table(rows)
        }
        page += "\n## ConnectionSet: `spec`\n\n" + table(setRows) + setNotes
        return page
    }

    static func row(_ field: Field) -> Row {
        Row(
            path: field.path, typeName: field.typeName, defaultText: field.defaultText,
            rangeText: field.rangeText, editText: field.edit.word, summary: field.summary)
    }

    private static func table(_ rows: [Row]) -> String {
        var text = "| field | type | default | range | edit | what it is |\n"
        text += "|---|---|---|---|---|---|\n"
        for row in rows {
            let cells = [
                "`\(row.path)`", row.typeName, row.defaultText, row.rangeText, row.editText,
                row.summary,
            ]
            let escaped = cells.map { cell in
                cell.split(separator: "|", omittingEmptySubsequences: false).joined(
                    separator: "\\|")
            }
            text += "| \(escaped.joined(separator: " | ")) |\n"
        }
        return text
    }

    /// Rows of a table of two columns.
    private static func rows(_ pairs: [(String, String)]) -> String {
        pairs.map { "| \($0) | \($1) |" }.joined(separator: "\n")
    }

    private static let introduction = """
        # Manifest reference

        Made from the field table of the compiler; `WSM_REWRITE=1 make test` writes it anew.

        A file holds one or more YAML documents (JSON is YAML): at most 16 MiB, 64 levels deep, 100,000
        nodes a document once aliases are written out (a `ConnectionSet` may have more), 10,000
        documents. Tags beyond the core schema, merge keys (`<<`) and duplicate keys are errors. Every
        problem is told as `file:line:col: path: sentence`, all of them at once.

        What an edit does to a live socket; of several edits the strongest counts:

        | word | meaning |
        |---|---|
        \(rows(EditEffect.allCases.map { ($0.word, $0.meaning) }))

        | type | form |
        |---|---|
        \(rows(typeForms.map { ($0.name, $0.form) }))

        A default that depends on another field gives way to what is written; two written values that
        contradict each other are an error.

        The same as a JSON Schema for editors: [schema/v1.json](schema/v1.json), or `wsm-apply schema`. One
        field at a time: `wsm-apply explain keepalive.pingInterval`.

        """

    private static let setNotes = """

        `{{var}}`, `{{var|lower}}` and `{{var|upper}}` are filled in from the row; `{{{{` writes `{{`. Only
        string values are: keys, numbers and bools stay as they are. An unknown variable is an error, an
        unused one a warning. The order of rows has no meaning. Each member carries the annotation
        `wsm.virtufin.com/connection-set`.

        """
}
