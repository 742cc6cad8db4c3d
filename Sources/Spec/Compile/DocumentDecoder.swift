/// Reads one document: version and kind first, then everything else by the kind's own rules.
struct DocumentDecoder {
    private static let keys = ["apiVersion", "kind", "metadata", "spec", "status"]

    /// An object and the places its names stand at.
    struct Result {
        var object: CompiledObject
        var nameMark: Mark
        /// For a set: the row of each member.
        var memberMarks: [Mark] = []
    }

    private var report: DiagnosticCollector

    private init(_ report: DiagnosticCollector) {
        self.report = report
    }

    /// The object; `nil` where the document has an error, which `report` then knows.
    static func decode(_ root: Node, _ report: inout DiagnosticCollector) -> Result? {
        var decoder = DocumentDecoder(report)
        let result = decoder.decode(root)
        report = decoder.report
        return result
    }

    private mutating func decode(_ root: Node) -> Result? {
        guard case .mapping(let entries) = root.content else {
            report.error(
                root.mark, "",
                "a document is a map with apiVersion, kind, metadata and spec, not \(root.kindName)"
            )
            return nil
        }
        let isVersion1 = checkVersion(root)
        guard let kind = kind(root), isVersion1 else { return nil }
        let errorsBefore = report.errorCount
        for entry in entries where !Self.keys.contains(entry.key.text) {
            report.error(
                entry.keyMark, entry.key.text,
                "unknown key" + Suggestion.hint(entry.key.text, among: Self.keys))
        }
        let metadata = metadata(root)
        guard let spec = root["spec"]?.value else {
            report.error(root.firstKeyMark, "spec", "the field is missing")
            return nil
        }
        let result =
            switch kind {
            case .connection: connection(metadata.metadata, spec, at: root.mark)
            case .connectionSet: connectionSet(metadata.metadata, spec, at: root.mark)
            }
        guard report.errorCount == errorsBefore, var result, let nameMark = metadata.nameMark
        else { return nil }
        result.nameMark = nameMark
        return result
    }

    private mutating func checkVersion(_ root: Node) -> Bool {
        guard let version = text(root, "apiVersion") else { return false }
        guard version.text != ManifestVersion.v1 else { return true }
        report.error(
            version.mark, "apiVersion",
            "\"\(version.text.prefix(64))\" is no known version; write \(ManifestVersion.v1)")
        return false
    }

    private mutating func kind(_ root: Node) -> ObjectKind? {
        guard let word = text(root, "kind") else { return nil }
        if let kind = ObjectKind(rawValue: word.text) { return kind }
        let words = ObjectKind.allCases.map(\.rawValue)
        report.error(
            word.mark, "kind",
            "\"\(word.text.prefix(64))\" is none of \(words.joined(separator: ", "))"
                + Suggestion.hint(word.text, among: words))
        return nil
    }

    private mutating func text(_ root: Node, _ key: String) -> (text: String, mark: Mark)? {
        guard let entry = root[key] else {
            report.error(root.firstKeyMark, key, "the field is missing")
            return nil
        }
        var problems = FieldProblems()
        let text = entry.value.string(&problems)
        report.errors(problems, key)
        return text.map { ($0, entry.value.mark) }
    }

    private mutating func metadata(_ root: Node) -> MetadataDecoder {
        var decoder = MetadataDecoder(path: "metadata")
        if let entry = root["metadata"] {
            decoder.decode(entry.value, &report)
        } else {
            report.error(root.firstKeyMark, "metadata", "the field is missing")
        }
        var ignored = decoder.ignored
        if let status = root["status"] { ignored.append(("status", status.keyMark)) }
        if let first = ignored.first {
            let paths = ignored.map(\.path).joined(separator: ", ")
            report.warning(first.mark, first.path, "only the server writes this; ignored: \(paths)")
        }
        return decoder
    }

    private mutating func connection(
        _ metadata: Metadata, _ node: Node, at mark: Mark
    ) -> Result? {
        let errorsBefore = report.errorCount
        var decoder = SpecDecoder(prefix: "spec")
        decoder.decode(node, &report)
        var draft = decoder.draft
        guard report.errorCount == errorsBefore else { return nil }
        for relation in FieldRelation.all {
            guard let problem = relation.resolve(&draft) else { continue }
            report.error(problem.mark, "spec.\(problem.path)", problem.message)
        }
        for warning in draft.warnings {
            report.warning(warning.mark, "spec.\(warning.path)", warning.message)
        }
        guard report.errorCount == errorsBefore else { return nil }
        let manifest = ConnectionManifest(
            metadata: metadata, spec: draft.spec, declared: draft.declared)
        let object = CompiledObject(
            kind: .connection, metadata: metadata, position: report.position(mark),
            canonical: ManifestRenderer.json(manifest), digest: ManifestDigest.of(manifest),
            body: .connection(manifest))
        return Result(object: object, nameMark: mark)
    }

    private mutating func connectionSet(
        _ metadata: Metadata, _ node: Node, at mark: Mark
    ) -> Result? {
        let decoder = SetDecoder(metadata: metadata)
        guard let decoded = decoder.decode(node, &report) else { return nil }
        let object = CompiledObject(
            kind: .connectionSet, metadata: metadata, position: report.position(mark),
            canonical: CanonicalForm.of(metadata, spec: node, template: decoded.template),
            digest: ManifestDigest.of(decoded.manifest), body: .connectionSet(decoded.manifest))
        return Result(object: object, nameMark: mark, memberMarks: decoded.marks)
    }
}
