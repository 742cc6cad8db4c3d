import Spec

/// A manifest as somebody with the role `read` sees it.
///
/// Credentials belong into `valueFrom`, but a manifest may hold them to the letter: in headers, in
/// messages sent on opening, in the query of a URL. A reader sees that something is there, not
/// what. What is put in its place does not compile, so a manifest seen this way cannot be applied
/// by mistake with the credentials lost.
enum ReaderView {
    /// `{valueFrom: {hidden: true}}`: no source that the compiler knows.
    static let hiddenValue = JSONValue.object([
        .init("valueFrom", .object([.init("hidden", .bool(true))]))
    ])
    /// In the place of a query; a URL of a WebSocket has no fragment.
    static let hiddenQuery = "?#hidden"
    /// In the place of a text that is only shown.
    static let hiddenText = "(hidden: needs the role admin)"

    /// - Parameter json: An object as the server renders it.
    /// - Returns: `nil` where that is no JSON, which the server never writes.
    static func masked(_ json: [UInt8]) -> [UInt8]? {
        guard let value = try? JSONValue.parse(json) else { return nil }
        return masked(value).serialized()
    }

    static func masked(_ object: JSONValue) -> JSONValue {
        guard let spec = object["spec"] else { return object }
        guard object["kind"] == .string(ObjectKind.connectionSet.rawValue) else {
            return object.replacing("spec", by: maskedSpec(spec))
        }
        return object.replacing("spec", by: maskedSet(spec))
    }

    /// Whether a change of this field shows what a reader must not see.
    static func hides(_ path: String, value: String) -> Bool {
        let names = path.split(whereSeparator: { $0 == "." || $0 == "[" })
        if names.contains(where: { ["headers", "onOpen", "list", "matrix"].contains($0) }) {
            return true
        }
        return names.last == "url" && value.contains("?")
    }

    private static func maskedSpec(_ spec: JSONValue) -> JSONValue {
        guard case .object(let members) = spec else { return spec }
        return .object(
            members.map { member in
                switch member.key {
                case "url": .init("url", maskedURL(member.value))
                case "headers": .init("headers", member.value.mappingMembers(maskedValue))
                case "onOpen":
                    .init(
                        "onOpen",
                        member.value.mappingItems { $0.mappingMembers(maskedValue) })
                default: member
                }
            })
    }

    private static func maskedValue(_ value: JSONValue) -> JSONValue {
        if case .string = value { hiddenValue } else { value }
    }

    private static func maskedURL(_ value: JSONValue) -> JSONValue {
        guard case .string(let url) = value, let query = url.firstIndex(of: "?") else {
            return value
        }
        return .string(url[..<query] + hiddenQuery)
    }

    // MARK: ConnectionSets

    /// A variable that is used in hidden places only, or nowhere, is hidden with them: the row may be
    /// where the credential stands. One that is part of a name or a topic can be seen there anyway.
    private static func maskedSet(_ spec: JSONValue) -> JSONValue {
        guard let template = spec["template"] else { return spec }
        let shownTemplate = template.replacing(
            "spec", by: template["spec"].map(maskedSpec) ?? .null)
        let shown = variables(in: shownTemplate).union(variables(in: spec["name"] ?? .null))
        let inURL = variables(in: template["spec"]?["url"] ?? .null)
        return spec.replacing("template", by: shownTemplate)
            .replacing("list", by: spec["list"].map { maskedRows($0, shown, inURL) })
            .replacing("matrix", by: spec["matrix"].map { maskedColumns($0, shown, inURL) })
    }

    private static func maskedRows(
        _ rows: JSONValue, _ shown: Set<String>, _ inURL: Set<String>
    ) -> JSONValue {
        rows.mappingItems { maskedColumns($0, shown, inURL) }
    }

    /// A variable that is part of the URL may bring its own query, or stand behind another's.
    private static func maskedColumns(
        _ row: JSONValue, _ shown: Set<String>, _ inURL: Set<String>
    ) -> JSONValue {
        guard case .object(let members) = row else { return row }
        let bringsQuery = members.contains {
            inURL.contains($0.key) && texts(of: $0.value).contains { $0.contains("?") }
        }
        return .object(
            members.map { member in
                let isShown =
                    shown.contains(member.key) && !(bringsQuery && inURL.contains(member.key))
                return isShown ? member : .init(member.key, hiddenValue)
            })
    }

    private static func texts(of value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .array(let items): items.flatMap(texts(of:))
        default: []
        }
    }

    /// Names between `{{` and `}}` or `|` in every text of a value.
    private static func variables(in value: JSONValue) -> Set<String> {
        switch value {
        case .string(let text): variables(in: text)
        case .array(let items): items.reduce(into: []) { $0.formUnion(variables(in: $1)) }
        case .object(let members):
            members.reduce(into: []) { $0.formUnion(variables(in: $1.value)) }
        case .null, .bool, .number: []
        }
    }

    private static func variables(in text: String) -> Set<String> {
        var found: Set<String> = []
        for piece in text.split(separator: "{{").dropFirst(text.hasPrefix("{{") ? 0 : 1) {
            let name = piece.prefix { $0 != "}" && $0 != "|" }
            found.insert(String(name.filter { $0 != " " && $0 != "\t" }))
        }
        return found
    }
}

extension JSONValue {
    /// The same object with another value for a key it has; `nil` leaves it as it is.
    fileprivate func replacing(_ key: String, by value: JSONValue?) -> JSONValue {
        guard let value, case .object(let members) = self else { return self }
        return .object(members.map { $0.key == key ? Member(key, value) : $0 })
    }

    fileprivate func mappingMembers(_ body: (JSONValue) -> JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.map { Member($0.key, body($0.value)) })
    }

    fileprivate func mappingItems(_ body: (JSONValue) -> JSONValue) -> JSONValue {
        guard case .array(let items) = self else { return self }
        return .array(items.map(body))
    }
}
