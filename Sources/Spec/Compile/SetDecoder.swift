/// Reads the `spec` of a `ConnectionSet` and expands it.
struct SetDecoder {
    private static let keys = ["list", "matrix", "name", "template"]

    let metadata: Metadata

    /// A set, and what its canonical form and its diagnostics need.
    struct Result {
        var manifest: ConnectionSetManifest
        var template: SetTemplate
        /// The row of each member.
        var marks: [Mark]
    }

    /// The set with its members; `nil` where there is an error, which `report` then knows.
    func decode(
        _ node: Node, _ report: inout DiagnosticCollector
    ) -> Result? {
        var problems = FieldProblems()
        let entries = node.map(&problems)
        report.errors(problems, "spec")
        guard let entries else { return nil }
        for entry in entries where !Self.keys.contains(entry.key.text) {
            report.error(
                entry.keyMark, "spec.\(entry.key.text)",
                "unknown key" + Suggestion.hint(entry.key.text, among: Self.keys))
        }
        let errorsBefore = report.errorCount
        let rows = decodeRows(node, &report)
        var decoder = SetTemplateDecoder()
        let template = decoder.decode(node, &report)
        guard report.errorCount == errorsBefore, let rows, let template else { return nil }
        if rows.count == 0 {
            report.warning(node.firstKeyMark, "spec", "the set has no members")
        }
        var expander = SetExpander(setName: metadata.name, rows: rows, template: template)
        guard let members = expander.expand(&report) else { return nil }
        return Result(
            manifest: ConnectionSetManifest(metadata: metadata, members: members),
            template: template, marks: (0..<rows.count).map { rows.mark(row: $0) })
    }

    private func decodeRows(_ node: Node, _ report: inout DiagnosticCollector) -> SetRows? {
        var problems = FieldProblems()
        let rows: SetRows?
        let path: String
        switch (node["list"], node["matrix"]) {
        case (let list?, nil):
            path = "spec.list"
            rows = SetRows.list(list.value, &problems)
        case (nil, let matrix?):
            path = "spec.matrix"
            rows = SetRows.matrix(matrix.value, &problems)
        case (_?, let matrix?):
            report.error(matrix.keyMark, "spec.matrix", "exactly one of list and matrix is wanted")
            return nil
        case (nil, nil):
            report.error(node.firstKeyMark, "spec.list", "one of list and matrix is missing")
            return nil
        }
        report.errors(problems, path)
        return rows
    }
}
