extension ValueCodec where Value == [String] {
    /// Subprotocols in order of preference.
    static var subprotocols: Self {
        let maxCount = 16
        return Self(
            typeName: "list of string",
            rangeText: "≤ 16 RFC 9110 tokens, unique, in order of preference; one chosen by the "
                + "server but not offered fails the dial", form: .subprotocols
        ) { node, problems in
            guard let items = node.list(&problems) else { return nil }
            if items.count > maxCount {
                problems.add(node, "there are at most \(maxCount) subprotocols")
                return nil
            }
            var protocols: [String] = []
            for (index, item) in items.enumerated() {
                guard let text = item.string(&problems, at: "[\(index)]") else { continue }
                if !CharacterRules.isToken(text) {
                    problems.add(
                        item, "a subprotocol is a token: letters, digits and !#$%&'*+-.^_`|~",
                        at: "[\(index)]")
                } else if protocols.contains(text) {
                    problems.add(item, "the subprotocol is there already", at: "[\(index)]")
                } else {
                    protocols.append(text)
                }
            }
            return protocols
        } encode: { protocols, writer in
            writer.beginArray()
            for name in protocols { writer.string(name) }
            writer.endArray()
        }
    }
}

extension ConnectionSpec.InitialMessage {
    static let maxCount = 64
    /// Bytes of a text, and of what a base64 stands for.
    static let maxBytes = 1 << 20

    static func decode(
        _ node: Node, _ problems: inout FieldProblems, at suffix: String
    ) -> ConnectionSpec.InitialMessage? {
        guard let entries = node.map(&problems, at: suffix) else { return nil }
        var messages: [ConnectionSpec.InitialMessage?] = []
        for entry in entries {
            let place = "\(suffix).\(entry.key.text)"
            switch entry.key.text {
            case "text":
                messages.append(text(entry.value, &problems, at: place))
            case "base64":
                messages.append(base64(entry.value, &problems, at: place))
            default:
                problems.add(
                    entry.keyMark,
                    "unknown key" + Suggestion.hint(entry.key.text, among: ["text", "base64"]),
                    at: place)
            }
        }
        if messages.count > 1 {
            problems.add(node, "exactly one of text and base64 is wanted, not both", at: suffix)
        } else if entries.isEmpty {
            problems.add(node, "one of text and base64 is missing", at: suffix)
        }
        return messages.first ?? nil
    }

    func encode(_ writer: inout JSONWriter) {
        writer.beginObject()
        switch self {
        case .text(let value):
            writer.key("text")
            value.encode(&writer)
        case .base64(let value):
            writer.key("base64")
            value.encode(&writer)
        }
        writer.endObject()
    }

    private static func text(
        _ node: Node, _ problems: inout FieldProblems, at suffix: String
    ) -> ConnectionSpec.InitialMessage? {
        guard let value = Value.decode(node, &problems, at: suffix) else { return nil }
        if case .literal(let text) = value, text.utf8.count > maxBytes {
            problems.add(node, "a message has at most 1MiB", at: suffix)
        }
        return .text(value)
    }

    private static func base64(
        _ node: Node, _ problems: inout FieldProblems, at suffix: String
    ) -> ConnectionSpec.InitialMessage? {
        guard let value = Value.decode(node, &problems, at: suffix) else { return nil }
        if case .literal(let text) = value {
            do {
                if try Base64.decode(text).count > maxBytes {
                    problems.add(node, "a message has at most 1MiB", at: suffix)
                }
            } catch {
                problems.add(node, error.message, at: suffix)
            }
        }
        return .base64(value)
    }
}

extension ValueCodec where Value == [ConnectionSpec.InitialMessage] {
    static var initialMessages: Self {
        let maxCount = ConnectionSpec.InitialMessage.maxCount
        return Self(
            typeName: "list", rangeText: "≤ 64, sent in order after every upgrade",
            form: .initialMessages
        ) { node, problems in
            guard let items = node.list(&problems) else { return nil }
            if items.count > maxCount {
                problems.add(node, "there are at most \(maxCount) messages")
                return nil
            }
            return items.enumerated().compactMap { index, item in
                ConnectionSpec.InitialMessage.decode(item, &problems, at: "[\(index)]")
            }
        } encode: { messages, writer in
            writer.beginArray()
            for message in messages { message.encode(&writer) }
            writer.endArray()
        }
    }
}
