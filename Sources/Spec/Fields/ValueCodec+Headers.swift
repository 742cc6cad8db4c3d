extension ValueCodec where Value == [String: Spec.Value] {
    /// Headers of the upgrade request.
    static var headers: Self {
        Self(
            typeName: "map name → Value",
            rangeText: "≤ 64, names are RFC 9110 tokens, unique without case; values without CR, "
                + "LF, NUL; ≤ 16KiB in all. Reserved: `Host`, `Connection`, `Upgrade`, "
                + "`Content-Length`, `Transfer-Encoding`, `Sec-WebSocket-*`", form: .headers
        ) { node, problems in
            guard let entries = node.map(&problems) else { return nil }
            return HeaderRules.decode(entries, at: node, &problems)
        } encode: { headers, writer in
            writer.beginObject()
            for name in headers.keys.sorted(by: JSONWriter.isBefore) {
                writer.key(name)
                headers[name]?.encode(&writer)
            }
            writer.endObject()
        }
    }
}

/// What the headers of a manifest may be.
enum HeaderRules {
    static let maxCount = 64
    /// Bytes of names and written values together.
    static let maxBytes = 16 << 10

    static func decode(
        _ entries: [Node.Entry], at node: Node, _ problems: inout FieldProblems
    ) -> [String: Value]? {
        var headers: [String: Value] = [:]
        var seen: [String: String] = [:]
        var bytes = 0
        for entry in entries {
            let name = entry.key.text
            if let problem = nameProblem(name) {
                problems.add(entry.keyMark, problem, at: "[\(name)]")
                continue
            }
            if let other = seen.updateValue(name, forKey: name.lowercased()) {
                problems.add(
                    entry.keyMark, "the header is there already, as \(other)", at: "[\(name)]")
                continue
            }
            guard let value = Value.decode(entry.value, &problems, at: "[\(name)]") else {
                continue
            }
            bytes += name.utf8.count
            if case .literal(let text) = value {
                bytes += text.utf8.count
                if let problem = valueProblem(text) {
                    problems.add(entry.value, problem, at: "[\(name)]")
                }
            }
            headers[name] = value
        }
        if entries.count > maxCount { problems.add(node, "there are at most \(maxCount) headers") }
        if bytes > maxBytes { problems.add(node, "the headers have at most 16KiB in all") }
        return headers
    }

    /// Says what is wrong with a header's name; `nil` where it is valid.
    static func nameProblem(_ name: String) -> String? {
        guard CharacterRules.isToken(name) else {
            return "a header's name is a token: letters, digits and !#$%&'*+-.^_`|~"
        }
        let lower = name.lowercased()
        let reserved = ["host", "connection", "upgrade", "content-length", "transfer-encoding"]
        guard !reserved.contains(lower), !lower.hasPrefix("sec-websocket-") else {
            let hint = lower == "sec-websocket-protocol" ? "; use subprotocols" : ""
            return "the header is reserved for the upgrade itself\(hint)"
        }
        return nil
    }

    /// Says what is wrong with a header's value; `nil` where it is valid.
    static func valueProblem(_ value: String) -> String? {
        let isClean = value.utf8.allSatisfy { $0 != 0x0D && $0 != 0x0A && $0 != 0x00 }
        return isClean ? nil : "a header's value has no CR, LF or NUL"
    }
}
