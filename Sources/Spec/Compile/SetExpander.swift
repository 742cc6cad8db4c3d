/// Fills a set's template in, row by row.
///
/// Only what depends on the row is made and checked again; the rest is shared by all members. The
/// first 20 members with errors are told in full, the others counted.
struct SetExpander {
    private let setName: String
    private let rows: SetRows
    private let template: SetTemplate
    /// The first use of each variable, and how often it is used.
    private var uses: [(first: SetTemplate.Use, count: Int)] = []
    private let literalBytes: Int
    private var expandedBytes = 0
    private var faultyMembers = 0
    private var lastFault = Mark.start
    private var rowsByName: [String: Int] = [:]

    init(setName: String, rows: SetRows, template: SetTemplate) {
        self.setName = setName
        self.rows = rows
        self.template = template
        literalBytes = template.literalBytes
    }

    /// The members, in the order of the rows; `nil` where one of them has an error.
    mutating func expand(_ report: inout DiagnosticCollector) -> [ConnectionManifest]? {
        guard checkVariables(&report) else { return nil }
        var members: [ConnectionManifest] = []
        members.reserveCapacity(rows.count)
        rowsByName.reserveCapacity(rows.count)
        for row in 0..<rows.count {
            guard spend(row, &report) else { return nil }
        }
        for row in 0..<rows.count {
            if let member = member(row, &report) { members.append(member) }
        }
        let untold = faultyMembers - ManifestLimits.maxMemberReports
        if untold > 0 {
            report.error(lastFault, "spec.template", "and \(untold) more members with errors")
        }
        return faultyMembers == 0 ? members : nil
    }

    /// Unknown variables are errors, unused ones warnings.
    private mutating func checkVariables(_ report: inout DiagnosticCollector) -> Bool {
        var indices: [String: Int] = [:]
        let known = rows.variables.map(\.name)
        var isValid = true
        for use in template.uses {
            if let index = indices[use.name] {
                uses[index].count += 1
            } else {
                indices[use.name] = uses.count
                uses.append((use, 1))
            }
            guard rows.columns[use.name] == nil, rows.count > 0 else { continue }
            isValid = false
            report.error(
                use.mark, use.path,
                "no row has a variable \(use.name)" + Suggestion.hint(use.name, among: known))
        }
        for (name, mark) in rows.variables where indices[name] == nil {
            report.warning(mark, rows.path, "the variable \(name) is not used")
        }
        return isValid
    }

    /// Counts the text of a member before any is made, so that no template grows beyond bounds.
    private mutating func spend(_ row: Int, _ report: inout DiagnosticCollector) -> Bool {
        expandedBytes += literalBytes
        for use in uses {
            let length = rows.value(use.first.name, row: row)?.utf8.count ?? 0
            let (bytes, overflow) = length.multipliedReportingOverflow(by: use.count)
            expandedBytes += overflow ? ManifestLimits.maxExpandedBytes + 1 : bytes
        }
        guard expandedBytes > ManifestLimits.maxExpandedBytes else { return true }
        report.error(
            template.mark, "spec.template", "the texts of all members come to more than 128MiB")
        return false
    }

    private mutating func member(
        _ row: Int, _ report: inout DiagnosticCollector
    ) -> ConnectionManifest? {
        let value = { [rows] (name: String) in rows.value(name, row: row) }
        guard let name = memberName(row, value, &report) else { return nil }
        var problems: [FieldRelation.Problem] = []
        var draft = template.draft
        for (index, _, node) in template.dynamic {
            let field = FieldTable.fields[index]
            var found = FieldProblems()
            field.decode(node.expanded(value), &found, &draft.spec)
            problems += found.items.map { item in
                FieldRelation.Problem(
                    mark: item.mark, path: "spec.\(field.path)\(item.suffix)",
                    message: item.message)
            }
        }
        if problems.isEmpty {
            for relation in template.relations {
                guard let problem = relation.resolve(&draft) else { continue }
                problems.append(
                    FieldRelation.Problem(
                        mark: problem.mark, path: "spec.\(problem.path)", message: problem.message))
            }
        }
        let metadata = memberMetadata(name, value, &problems)
        guard problems.isEmpty else {
            tell(problems, member: name, &report)
            return nil
        }
        return ConnectionManifest(
            metadata: metadata, spec: draft.spec, declared: template.declared)
    }

    /// The member's name, valid and its own; otherwise a problem of the row.
    private mutating func memberName(
        _ row: Int, _ value: (String) -> String?, _ report: inout DiagnosticCollector
    ) -> String? {
        if let lacking = uses.first(where: { value($0.first.name) == nil })?.first {
            fault(
                rows.mark(row: row), rows.label(row: row),
                "the variable \(lacking.name) is missing here; \(lacking.path) uses it", &report)
            return nil
        }
        let name = template.name.expanded(value) ?? ""
        if let problem = ObjectName.problem(name) {
            fault(
                template.nameMark, "spec.name",
                "\(rows.label(row: row)) gives \"\(name.prefix(80))\": \(problem)", &report)
            return nil
        }
        guard let other = rowsByName.updateValue(row, forKey: name) else { return name }
        rowsByName[name] = other
        let mark = rows.mark(row: other)
        fault(
            rows.mark(row: row), "spec.name",
            "\(rows.label(row: row)) gives the name \(name), and so does "
                + "\(rows.label(row: other)) at \(mark.line):\(mark.column)", &report)
        return nil
    }

    private func memberMetadata(
        _ name: String, _ value: (String) -> String?, _ problems: inout [FieldRelation.Problem]
    ) -> Metadata {
        var metadata = Metadata(name: name)
        for label in template.labels {
            let text = label.value.expanded(value) ?? ""
            if let problem = TagLimits.problem(key: label.key, value: text) {
                problems.append(
                    FieldRelation.Problem(
                        mark: label.mark, path: "metadata.labels[\(label.key)]", message: problem))
            }
            metadata.labels[label.key] = text
        }
        for annotation in template.annotations {
            metadata.annotations[annotation.key] = annotation.value.expanded(value)
        }
        metadata.annotations[Metadata.connectionSetAnnotation] = setName
        return metadata
    }

    /// Counts a faulty member.
    /// - Returns: whether it is told in full.
    private mutating func countFault() -> Bool {
        faultyMembers += 1
        return faultyMembers <= ManifestLimits.maxMemberReports
    }

    private mutating func tell(
        _ problems: [FieldRelation.Problem], member: String, _ report: inout DiagnosticCollector
    ) {
        guard countFault() else { return }
        for problem in problems {
            lastFault = problem.mark
            report.error(
                problem.mark, "spec.template.\(problem.path)",
                "member \(member): \(problem.message)")
        }
    }

    private mutating func fault(
        _ mark: Mark, _ path: String, _ message: String, _ report: inout DiagnosticCollector
    ) {
        guard countFault() else { return }
        lastFault = mark
        report.error(mark, path, message)
    }
}
