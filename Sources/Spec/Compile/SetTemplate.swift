/// What a set says of all its members, checked once and ready to be filled in row by row.
struct SetTemplate {
    let name: TemplateString
    let nameMark: Mark
    let labels: [(key: String, value: TemplateString, mark: Mark)]
    let annotations: [(key: String, value: TemplateString, mark: Mark)]
    /// The fields that are the same for every member.
    let draft: SpecDraft
    /// The fields that depend on the member.
    let dynamic: [(index: Int, node: Node, value: TemplateNode)]
    /// Labels and annotations as written.
    let metadata: Metadata
    /// Where `template` stands.
    let mark: Mark
    let declared: Set<String>
    /// The relations that look at a field of `dynamic`.
    let relations: [FieldRelation]
}

/// Reads `name` and `template` of a set's spec.
struct SetTemplateDecoder {
    private var name: (TemplateString, Mark)?
    private var metadata = MetadataDecoder(path: "spec.template.metadata", isTemplate: true)
    private var spec = SpecDecoder(prefix: "spec.template.spec", isTemplate: true)
    private var templateMark: Mark?

    /// The template; `nil` where a part of it is missing or wrong, which `report` then knows.
    mutating func decode(_ node: Node, _ report: inout DiagnosticCollector) -> SetTemplate? {
        let errorsBefore = report.errorCount
        decodeName(node, &report)
        decodeTemplate(node, &report)
        let dynamic = spec.dynamic.map { index, node in
            var problems = FieldProblems()
            let value = TemplateNode(node, &problems)
            report.errors(problems, "spec.template.spec.\(FieldTable.fields[index].path)")
            return (index: index, node: node, value: value)
        }
        let labels = strings(metadata.labelNodes, "labels", &report)
        let annotations = strings(metadata.annotationNodes, "annotations", &report)
        guard report.errorCount == errorsBefore, let name, let templateMark else { return nil }
        return template(
            name, labels: labels, annotations: annotations, dynamic: dynamic, at: templateMark,
            &report)
    }

    private func template(
        _ name: (text: TemplateString, mark: Mark),
        labels: [(key: String, value: TemplateString, mark: Mark)],
        annotations: [(key: String, value: TemplateString, mark: Mark)],
        dynamic: [(index: Int, node: Node, value: TemplateNode)], at mark: Mark,
        _ report: inout DiagnosticCollector
    ) -> SetTemplate {
        var draft = spec.draft
        let dynamicPaths = Set(dynamic.map { FieldTable.fields[$0.index].path })
        var relations: [FieldRelation] = []
        for relation in FieldRelation.all {
            if relation.paths.contains(where: dynamicPaths.contains) {
                relations.append(relation)
            } else if let problem = relation.resolve(&draft) {
                report.error(problem.mark, "spec.template.spec.\(problem.path)", problem.message)
            }
        }
        for warning in draft.warnings {
            report.warning(warning.mark, "spec.template.spec.\(warning.path)", warning.message)
        }
        return SetTemplate(
            name: name.text, nameMark: name.mark, labels: labels,
            annotations: annotations, draft: draft, dynamic: dynamic,
            metadata: metadata.metadata, mark: mark, declared: draft.declared, relations: relations)
    }

    private mutating func decodeName(_ node: Node, _ report: inout DiagnosticCollector) {
        guard let entry = node["name"] else {
            report.error(node.firstKeyMark, "spec.name", "the field is missing")
            return
        }
        var problems = FieldProblems()
        if let text = entry.value.plainString(&problems) {
            do {
                name = (try TemplateString(text), entry.value.mark)
            } catch {
                problems.add(entry.value, error.message)
            }
        }
        report.errors(problems, "spec.name")
    }

    private mutating func decodeTemplate(_ node: Node, _ report: inout DiagnosticCollector) {
        guard let entry = node["template"] else {
            report.error(node.firstKeyMark, "spec.template", "the field is missing")
            return
        }
        templateMark = entry.value.mark
        var problems = FieldProblems()
        let entries = entry.value.map(&problems) ?? []
        for inner in entries {
            switch inner.key.text {
            case "metadata": metadata.decode(inner.value, &report)
            case "spec": spec.decode(inner.value, &report)
            default:
                problems.add(
                    inner.keyMark,
                    "unknown key" + Suggestion.hint(inner.key.text, among: ["metadata", "spec"]),
                    at: ".\(inner.key.text)")
            }
        }
        if problems.items.isEmpty, entry.value["spec"] == nil {
            problems.add(entry.value.firstKeyMark, "the field is missing", at: ".spec")
        }
        report.errors(problems, "spec.template")
    }

    private func strings(
        _ nodes: [(key: String, node: Node)], _ group: String, _ report: inout DiagnosticCollector
    ) -> [(key: String, value: TemplateString, mark: Mark)] {
        nodes.compactMap { key, node -> (key: String, value: TemplateString, mark: Mark)? in
            guard case .scalar(let scalar) = node.content else { return nil }
            do throws(SyntaxProblem) {
                return (key, try TemplateString(scalar.text), node.mark)
            } catch {
                report.error(
                    node.mark, "spec.template.metadata.\(group)[\(key)]", error.message)
                return nil
            }
        }
    }
}
