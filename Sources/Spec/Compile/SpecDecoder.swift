/// Reads a connection's `spec` by the field table.
struct SpecDecoder {
    /// The path of the mapping: `spec`, or `spec.template.spec`.
    let prefix: String
    /// In the template of a set, strings with `{{…}}` are set aside for each member.
    let isTemplate: Bool
    private(set) var draft = SpecDraft()
    /// Fields whose value depends on the member.
    private(set) var dynamic: [(index: Int, node: Node)] = []

    init(prefix: String, isTemplate: Bool = false) {
        self.prefix = prefix
        self.isTemplate = isTemplate
    }

    /// Reads the mapping; every problem goes to `report`.
    mutating func decode(_ node: Node, _ report: inout DiagnosticCollector) {
        var problems = FieldProblems()
        guard let entries = node.map(&problems) else {
            report.errors(problems, prefix)
            return
        }
        decode(entries, by: .root, at: "", &report)
        for field in FieldTable.fields where field.isRequired && !draft.isWritten(field.path) {
            report.error(node.firstKeyMark, "\(prefix).\(field.path)", "the field is missing")
        }
    }

    private mutating func decode(
        _ entries: [Node.Entry], by tree: FieldTree, at group: String,
        _ report: inout DiagnosticCollector
    ) {
        for entry in entries {
            let key = entry.key.text
            switch tree.branches[key] {
            case .field(let index):
                decode(entry.value, field: index, &report)
            case .group(let subtree):
                if group.isEmpty, key == "tls" { draft.tlsMark = entry.value.mark }
                var problems = FieldProblems()
                guard let inner = entry.value.map(&problems) else {
                    report.errors(problems, "\(prefix).\(group)\(key)")
                    continue
                }
                decode(inner, by: subtree, at: "\(group)\(key).", &report)
            case nil:
                report.error(
                    entry.keyMark, "\(prefix).\(group)\(key)", "unknown key" + tree.hint(key))
            }
        }
    }

    private mutating func decode(
        _ node: Node, field index: Int, _ report: inout DiagnosticCollector
    ) {
        let field = FieldTable.fields[index]
        draft.written(index, at: node.mark)
        if isTemplate, field.isExpandable, TemplateNode.isTemplate(node) {
            dynamic.append((index, node))
            return
        }
        var problems = FieldProblems()
        field.decode(node, &problems, &draft.spec)
        report.errors(problems, "\(prefix).\(field.path)")
    }
}
