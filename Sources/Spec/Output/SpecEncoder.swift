/// Writes a spec as JSON by the field table, keys in canonical order.
enum SpecEncoder {
    /// Every field that has a value.
    static func encode(_ spec: ConnectionSpec, _ writer: inout JSONWriter) {
        encode(spec, .root, &writer) { FieldTable.fields[$0].isSet(spec) }
    }

    /// The declared fields that have a value, or a node in `replacing` that stands for one.
    static func encode(
        _ spec: ConnectionSpec, declared: Set<String>, replacing: [Int: Node] = [:],
        _ writer: inout JSONWriter
    ) {
        encode(spec, .root, &writer, replacing: replacing) { index in
            let field = FieldTable.fields[index]
            return declared.contains(field.path)
                && (field.isSet(spec) || replacing[index] != nil)
        }
    }

    private static func encode(
        _ spec: ConnectionSpec, _ tree: FieldTree, _ writer: inout JSONWriter,
        replacing: [Int: Node] = [:], where isWanted: (Int) -> Bool
    ) {
        writer.beginObject()
        for (key, branch) in tree.sorted {
            switch branch {
            case .field(let index):
                guard isWanted(index) else { continue }
                writer.key(quoted: key)
                if let node = replacing[index] {
                    writer.value(JSONValue(node).sorted())
                } else {
                    FieldTable.fields[index].encode(spec, &writer)
                }
            case .group(let subtree):
                guard holds(subtree, where: isWanted) else { continue }
                writer.key(quoted: key)
                encode(spec, subtree, &writer, replacing: replacing, where: isWanted)
            }
        }
        writer.endObject()
    }

    private static func holds(_ tree: FieldTree, where isWanted: (Int) -> Bool) -> Bool {
        tree.sorted.contains { _, branch in
            switch branch {
            case .field(let index): isWanted(index)
            case .group(let subtree): holds(subtree, where: isWanted)
            }
        }
    }
}
