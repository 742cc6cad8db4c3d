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
        for key in tree.sortedKeys {
            switch tree.branches[key] {
            case .field(let index) where isWanted(index):
                writer.key(key)
                if let node = replacing[index] {
                    writer.value(JSONValue(node).sorted())
                } else {
                    FieldTable.fields[index].encode(spec, &writer)
                }
            case .group(let subtree) where holds(subtree, where: isWanted):
                writer.key(key)
                encode(spec, subtree, &writer, replacing: replacing, where: isWanted)
            default:
                continue
            }
        }
        writer.endObject()
    }

    private static func holds(_ tree: FieldTree, where isWanted: (Int) -> Bool) -> Bool {
        tree.branches.values.contains { branch in
            switch branch {
            case .field(let index): isWanted(index)
            case .group(let subtree): holds(subtree, where: isWanted)
            }
        }
    }
}
