extension Value {
    /// Reads a plain string or `{valueFrom: …}`.
    static func decode(
        _ node: Node, _ problems: inout FieldProblems, at suffix: String = ""
    ) -> Value? {
        guard case .mapping(let entries) = node.content else {
            return node.string(&problems, at: suffix).map { .literal($0) }
        }
        var source: SecretSource?
        for entry in entries {
            if entry.key.text == "valueFrom" {
                source = SecretSource.decode(entry.value, &problems, at: suffix + ".valueFrom")
            } else {
                problems.add(
                    entry.keyMark,
                    "unknown key" + Suggestion.hint(entry.key.text, among: ["valueFrom"]),
                    at: "\(suffix).\(entry.key.text)")
            }
        }
        if entries.isEmpty {
            problems.add(node, "a string or {valueFrom: …} is wanted, not an empty map", at: suffix)
        }
        return source.map { .secret($0) }
    }

    func encode(_ writer: inout JSONWriter) {
        switch self {
        case .literal(let text):
            writer.string(text)
        case .secret(let source):
            writer.beginObject()
            writer.key("valueFrom")
            writer.beginObject()
            switch source {
            case .environment(let name): writer.member("env", name)
            case .file(let path): writer.member("file", path)
            case .dapr(let store, let name, let key):
                writer.key("daprSecret")
                writer.beginObject()
                writer.member("store", store)
                writer.member("name", name)
                writer.member("key", key)
                writer.endObject()
            }
            writer.endObject()
            writer.endObject()
        }
    }
}

extension SecretSource {
    private static let words = ["env", "file", "daprSecret"]

    /// Reads exactly one of `env: NAME`, `file: PATH` and `daprSecret: {store, name, key}`.
    static func decode(
        _ node: Node, _ problems: inout FieldProblems, at suffix: String
    ) -> SecretSource? {
        guard let entries = node.map(&problems, at: suffix) else { return nil }
        var sources: [SecretSource?] = []
        for entry in entries {
            let place = "\(suffix).\(entry.key.text)"
            switch entry.key.text {
            case "env":
                sources.append(environment(entry.value, &problems, at: place))
            case "file":
                sources.append(file(entry.value, &problems, at: place))
            case "daprSecret":
                sources.append(daprSecret(entry.value, &problems, at: place))
            default:
                problems.add(
                    entry.keyMark, "unknown key" + Suggestion.hint(entry.key.text, among: words),
                    at: place)
            }
        }
        if sources.count > 1 {
            problems.add(
                node, "exactly one source is wanted: env, file or daprSecret", at: suffix)
            return nil
        }
        if entries.isEmpty {
            problems.add(node, "a source is missing: env, file or daprSecret", at: suffix)
        }
        return sources.first ?? nil
    }

    private static func environment(
        _ node: Node, _ problems: inout FieldProblems, at suffix: String
    ) -> SecretSource? {
        guard let name = node.plainString(&problems, at: suffix) else { return nil }
        guard CharacterRules.isIdentifier(name) else {
            problems.add(
                node, "the name of an environment variable has letters, digits and \"_\" only",
                at: suffix)
            return nil
        }
        return .environment(name)
    }

    /// `key` is the part of a secret that has more than one; without it, the part called as the
    /// secret is, as stores without parts have it.
    private static func daprSecret(
        _ node: Node, _ problems: inout FieldProblems, at suffix: String
    ) -> SecretSource? {
        guard let entries = node.map(&problems, at: suffix) else { return nil }
        let words = ["store", "name", "key"]
        var parts: [String: String] = [:]
        for entry in entries {
            let place = "\(suffix).\(entry.key.text)"
            guard words.contains(entry.key.text) else {
                problems.add(
                    entry.keyMark, "unknown key" + Suggestion.hint(entry.key.text, among: words),
                    at: place)
                continue
            }
            guard let text = entry.value.plainString(&problems, at: place) else { return nil }
            if text.isEmpty { problems.add(entry.value, "it is empty", at: place) }
            parts[entry.key.text] = text
        }
        guard let store = parts["store"], let name = parts["name"] else {
            problems.add(
                node, "daprSecret needs a store and a name, and a key if the secret has parts",
                at: suffix)
            return nil
        }
        return .dapr(store: store, name: name, key: parts["key"] ?? name)
    }

    private static func file(
        _ node: Node, _ problems: inout FieldProblems, at suffix: String
    ) -> SecretSource? {
        guard let path = node.plainString(&problems, at: suffix) else { return nil }
        guard !path.isEmpty else {
            problems.add(node, "the path is empty", at: suffix)
            return nil
        }
        guard path.first != "/", !path.split(separator: "/").contains("..") else {
            problems.add(
                node, "the path is relative to the server's --secrets-dir and stays inside it",
                at: suffix)
            return nil
        }
        return .file(path)
    }
}

extension ValueCodec where Value == Spec.Value {
    /// PEM text, or where it comes from.
    static func pem(_ rangeText: String, begin: String, secretOnly: Bool = false) -> Self {
        Self(
            typeName: secretOnly ? "{valueFrom} (PEM)" : "Value (PEM)", rangeText: rangeText,
            form: .pem(begin: begin, secretOnly: secretOnly)
        ) { node, problems in
            let value = Spec.Value.decode(node, &problems)
            guard case .literal(let text) = value else { return value }
            if secretOnly {
                problems.add(node, "a private key stands in no manifest; write {valueFrom: …}")
                return nil
            }
            guard text.contains(begin) else {
                problems.add(
                    node, "this is no PEM text (\(begin)…); for a file write {valueFrom: {file: …}}"
                )
                return nil
            }
            return value
        } encode: { value, writer in
            value.encode(&writer)
        }
    }
}
