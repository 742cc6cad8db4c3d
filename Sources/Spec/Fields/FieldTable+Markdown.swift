extension FieldTable {
    /// The reference page `docs/manifest.md`, made from this table and nothing else.
    package static func markdown() -> String {
        var page = introduction
        page += "\n## All kinds\n\n" + table(commonRows)
        page += "\n## Connection: `spec`\n"
        let sections: [(title: String, fields: [Field])] = [
            ("Where and what", whereAndWhat), ("After the upgrade", afterUpgrade),
            ("Alive", alive), ("Messages", messages), ("Correlated send", correlation),
            ("Transport", transport),
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

    private static func row(_ field: Field) -> Row {
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
        | keep | applied in place, at once; the socket is never touched |
        | next | used from the next dial or next timer on; the socket is not touched |
        | reopen | needs a new socket |
        | close | the socket is closed and not replaced |

        | type | form |
        |---|---|
        | string | a YAML string; a bare `123`, `true` or `null` needs quotes |
        | bool | `true`, `false` |
        | int | decimal digits |
        | duration | number and unit, from large to small: `30s`, `1h30m`, `1.5s`, `500ms`; at most 8760h |
        | size | whole number and unit: `B`, `KiB`, `MiB`, `GiB` |
        | name | `a-z 0-9 - .`, a letter or digit at both ends, 1-253 characters |
        | Value | a plain string, taken to the letter; or `{valueFrom: {env: NAME}}`; or `{valueFrom: {file: PATH}}` |
        | Match | one of `text`, `prefix`, `regex`, `base64Prefix`, or `path` with `equals` or `exists: true` |

        A default that depends on another field gives way to what is written; two written values that
        contradict each other are an error.

        """

    private static let setNotes = """

        `{{var}}`, `{{var|lower}}` and `{{var|upper}}` are filled in from the row; `{{{{` writes `{{`. Only
        string values are: keys, numbers and bools stay as they are. An unknown variable is an error, an
        unused one a warning. The order of rows has no meaning. Each member carries the annotation
        `wsm.virtufin.com/connection-set`.

        """
}
