/// Reads `metadata`: of an object, or of the template of a set.
struct MetadataDecoder {
    /// Bytes of keys and values together.
    static let maxAnnotationBytes = 64 << 10
    static let serverOnly = ["uid", "generation", "creationTimestamp", "managers"]
    private static let reservedPrefix = "wsm.virtufin.com/"

    let path: String
    /// In a template there is no name, and values with `{{…}}` are checked for each member.
    let isTemplate: Bool
    private(set) var metadata = Metadata(name: "")
    private(set) var nameMark: Mark?
    /// What only the server writes and the file has: key path and place.
    private(set) var ignored: [(path: String, mark: Mark)] = []
    /// Where each label and annotation of a template stands, for problems of its members.
    private(set) var labelNodes: [(key: String, node: Node)] = []
    private(set) var annotationNodes: [(key: String, node: Node)] = []

    init(path: String, isTemplate: Bool = false) {
        self.path = path
        self.isTemplate = isTemplate
    }

    mutating func decode(_ node: Node, _ report: inout DiagnosticCollector) {
        var problems = FieldProblems()
        for entry in node.map(&problems) ?? [] {
            switch entry.key.text {
            case "name" where !isTemplate: decodeName(entry.value, &problems)
            case "labels": decodeLabels(entry.value, &problems)
            case "annotations": decodeAnnotations(entry.value, &problems)
            case "resourceVersion" where !isTemplate:
                metadata.resourceVersion = entry.value.plainString(
                    &problems, at: ".resourceVersion")
            case let key where Self.serverOnly.contains(key) && !isTemplate:
                ignored.append(("\(path).\(key)", entry.keyMark))
            case let key:
                let known = isTemplate ? [] : ["name"]
                problems.add(
                    entry.keyMark,
                    "unknown key"
                        + Suggestion.hint(key, among: known + ["labels", "annotations"]),
                    at: ".\(key)")
            }
        }
        if !isTemplate, problems.items.isEmpty, nameMark == nil {
            problems.add(node.firstKeyMark, "the field is missing", at: ".name")
        }
        report.errors(problems, path)
    }

    private mutating func decodeName(_ node: Node, _ problems: inout FieldProblems) {
        guard let name = node.string(&problems, at: ".name") else { return }
        nameMark = node.mark
        metadata.name = name
        if let problem = ObjectName.problem(name) { problems.add(node, problem, at: ".name") }
    }

    private mutating func decodeLabels(_ node: Node, _ problems: inout FieldProblems) {
        guard let entries = node.map(&problems, at: ".labels") else { return }
        if entries.count > TagLimits.maxCount {
            problems.add(node, "there are at most \(TagLimits.maxCount) labels", at: ".labels")
            return
        }
        for entry in entries {
            let place = ".labels[\(entry.key.text)]"
            guard let key = entry.stringKey(&problems, at: ".labels"),
                let value = entry.value.plainString(&problems, at: place)
            else { continue }
            let isExpanded = isTemplate && TemplateNode.isTemplate(entry.value)
            if let problem = TagLimits.problem(key: key, value: "") {
                problems.add(entry.keyMark, problem, at: place)
            } else if !isExpanded, let problem = TagLimits.problem(key: key, value: value) {
                problems.add(entry.value, problem, at: place)
            }
            metadata.labels[key] = value
            labelNodes.append((key, entry.value))
        }
    }

    private mutating func decodeAnnotations(_ node: Node, _ problems: inout FieldProblems) {
        guard let entries = node.map(&problems, at: ".annotations") else { return }
        var bytes = 0
        for entry in entries {
            let place = ".annotations[\(entry.key.text)]"
            guard let key = entry.stringKey(&problems, at: ".annotations") else { continue }
            if key == Metadata.connectionSetAnnotation, !isTemplate {
                ignored.append((path + place, entry.keyMark))
                continue
            }
            guard let value = annotation(key, entry, &problems, at: place) else { continue }
            bytes += key.utf8.count + value.utf8.count
            metadata.annotations[key] = value
            annotationNodes.append((key, entry.value))
        }
        if bytes > Self.maxAnnotationBytes {
            problems.add(node, "annotations have at most 64KiB in all", at: ".annotations")
        }
    }

    private func annotation(
        _ key: String, _ entry: Node.Entry, _ problems: inout FieldProblems, at place: String
    ) -> String? {
        if key.hasPrefix(Self.reservedPrefix), key != Metadata.pruneAnnotation {
            problems.add(
                entry.keyMark,
                "no such annotation of \(Self.reservedPrefix)"
                    + Suggestion.hint(key, among: [Metadata.pruneAnnotation]), at: place)
            return nil
        }
        // An annotation is for tools, so line ends and tabs are part of it.
        guard let value = entry.value.string(&problems, at: place) else { return nil }
        if key == Metadata.pruneAnnotation, value != "disabled" {
            problems.add(
                entry.value,
                "the annotation has one value: disabled"
                    + Suggestion.hint(value, among: ["disabled"]), at: place)
            return nil
        }
        return value
    }
}
