/// The canonical JSON of what an author wrote.
enum CanonicalForm {
    /// A set: its rows, its name, and the template with the strings that are still to be filled in.
    static func of(
        _ metadata: Metadata, spec node: Node, template: SetTemplate
    ) -> [UInt8] {
        ManifestRenderer.document(.connectionSet, metadata) { writer in
            writer.beginObject()
            for key in ["list", "matrix"] {
                guard let rows = node[key] else { continue }
                writer.key(key)
                writer.value(JSONValue(rows.value).sorted())
            }
            writer.key("name")
            writer.value(node["name"].map { JSONValue($0.value) } ?? .null)
            writer.key("template")
            writer.beginObject()
            write(template, &writer)
            writer.endObject()
            writer.endObject()
        }
    }

    private static func write(_ template: SetTemplate, _ writer: inout JSONWriter) {
        if !template.metadata.labels.isEmpty || !template.metadata.annotations.isEmpty {
            writer.key("metadata")
            writer.beginObject()
            for (key, map) in [
                ("annotations", template.metadata.annotations),
                ("labels", template.metadata.labels),
            ] where !map.isEmpty {
                writer.key(key)
                writer.map(map)
            }
            writer.endObject()
        }
        let written = Dictionary(
            uniqueKeysWithValues: template.dynamic.map { ($0.index, $0.node) })
        writer.key("spec")
        SpecEncoder.encode(
            template.draft.spec, declared: template.declared, replacing: written, &writer)
    }
}
