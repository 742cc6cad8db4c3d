extension ValueCodec where Value == Match {
    static var match: Self {
        Self(
            typeName: "Match",
            rangeText: "exactly one of `text`, `prefix`, `regex` (RE2-like, no back-references), "
                + "`base64Prefix`, `path` with one of `equals` (scalar), `exists: true`",
            form: .match
        ) { node, problems in
            Match.decode(node, &problems)
        } encode: { match, writer in
            match.encode(&writer)
        }
    }
}

extension Match {
    private static let tests = ["text", "prefix", "regex", "base64Prefix", "path"]
    private static let words = tests + ["equals", "exists"]

    static func decode(_ node: Node, _ problems: inout FieldProblems) -> Match? {
        guard let entries = node.map(&problems) else { return nil }
        var isKnown = true
        for entry in entries where !words.contains(entry.key.text) {
            isKnown = false
            problems.add(
                entry.keyMark, "unknown key" + Suggestion.hint(entry.key.text, among: words),
                at: ".\(entry.key.text)")
        }
        let written = entries.filter { tests.contains($0.key.text) }
        guard written.count == 1, let test = written.first else {
            if isKnown || written.count > 1 {
                problems.add(node, "exactly one of \(tests.joined(separator: ", ")) is wanted")
            }
            return nil
        }
        if test.key.text == "path" { return path(test.value, in: node, &problems) }
        for word in ["equals", "exists"] {
            guard let entry = node[word] else { continue }
            problems.add(entry.keyMark, "\(word) stands beside path only", at: ".\(word)")
        }
        return simple(test, &problems)
    }

    private static func simple(_ test: Node.Entry, _ problems: inout FieldProblems) -> Match? {
        let place = ".\(test.key.text)"
        guard let text = test.value.string(&problems, at: place) else { return nil }
        do {
            switch test.key.text {
            case "text": return .text(text)
            case "prefix": return .prefix(text)
            case "base64Prefix": return .base64Prefix(try Base64.decode(text))
            default:
                _ = try Match.regex(text).compiled()
                return .regex(text)
            }
        } catch {
            problems.add(test.value, error.message, at: place)
            return nil
        }
    }

    private static func path(
        _ value: Node, in node: Node, _ problems: inout FieldProblems
    ) -> Match? {
        guard let path = value.plainString(&problems, at: ".path") else { return nil }
        do {
            _ = try JSONPath(path)
        } catch {
            problems.add(value, error.message, at: ".path")
            return nil
        }
        switch (node["equals"], node["exists"]) {
        case (let equals?, nil):
            return scalar(equals.value, &problems).map { .pathEquals(path: path, value: $0) }
        case (nil, let exists?):
            guard case .scalar(let word) = exists.value.content, word == .plain("true") else {
                problems.add(exists.value, "only true can stand here", at: ".exists")
                return nil
            }
            return .pathExists(path: path)
        default:
            problems.add(node, "path wants exactly one of equals and exists beside it")
            return nil
        }
    }

    private static func scalar(_ node: Node, _ problems: inout FieldProblems) -> Scalar? {
        guard case .scalar(let scalar) = node.content else {
            problems.add(node, "a string, number, bool or null is wanted", at: ".equals")
            return nil
        }
        switch JSONValue(scalar) {
        case .bool(let value): return .bool(value)
        case .null where !scalar.text.isEmpty: return .null
        case .number(let text): return .number(text)
        case .string(let text) where scalar.kind == .string: return .string(text)
        default:
            problems.add(
                node, "a string, a number as JSON writes it, a bool or null is wanted",
                at: ".equals")
            return nil
        }
    }

    func encode(_ writer: inout JSONWriter) {
        writer.beginObject()
        switch self {
        case .text(let text): writer.member("text", text)
        case .prefix(let text): writer.member("prefix", text)
        case .regex(let pattern): writer.member("regex", pattern)
        case .base64Prefix(let bytes): writer.member("base64Prefix", Base64.encode(bytes))
        case .pathEquals(let path, let value):
            writer.key("equals")
            switch value {
            case .string(let text): writer.string(text)
            case .number(let text): writer.number(text)
            case .bool(let bool): writer.bool(bool)
            case .null: writer.null()
            }
            writer.member("path", path)
        case .pathExists(let path):
            writer.key("exists")
            writer.bool(true)
            writer.member("path", path)
        }
        writer.endObject()
    }
}
