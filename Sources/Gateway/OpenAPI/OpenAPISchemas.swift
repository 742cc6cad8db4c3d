/// The JSON schemas of the contract's messages and enums.
struct OpenAPISchemas {
    let schema: ProtoSchema
    let routes: RouteTable

    /// Everything that a route leads to, in the order of first mention.
    var components: [JSONValue.Member] {
        let inputs = names { $0.input }
        let outputs = names { $0.output }
        var members: [JSONValue.Member] = []
        var enums: [String] = []
        for name in inputs + outputs.filter({ !inputs.contains($0) }) {
            guard let message = schema.messages[name] else { continue }
            members.append(
                .init(name: name, value: object(message, isInput: inputs.contains(name))))
            for field in message.fields {
                if case .enum(let type) = field.kind, !enums.contains(type) { enums.append(type) }
            }
        }
        for name in enums {
            guard let type = schema.enums[name] else { continue }
            members.append(.init(name: name, value: enumeration(type)))
        }
        return members
    }

    private func names(_ message: (MethodSchema) -> String) -> [String] {
        var found: [String] = []
        for route in routes.routes {
            for name in schema.reachable(from: message(route.method)) where !found.contains(name) {
                found.append(name)
            }
        }
        return found
    }

    /// A request body without what the path gives.
    func body(_ name: String, without variables: [String]) -> JSONValue {
        guard !variables.isEmpty, let message = schema.messages[name] else {
            return ["$ref": .string("#/components/schemas/\(name)")]
        }
        return object(message, isInput: true, without: variables)
    }

    /// Of a call that takes a stream.
    func streamBody(_ name: String) -> JSONValue {
        [
            "oneOf": [
                [
                    "type": "object",
                    "properties": [
                        "header": ["$ref": "#/components/schemas/wsm.v1.ApplyHeader"],
                        "documents": [
                            "type": "array",
                            "description": "Manifests as plain JSON.",
                            "items": ["type": "object"],
                        ],
                    ],
                    "additionalProperties": false,
                ],
                [
                    "type": "array",
                    "description": "The messages of the stream.",
                    "items": ["$ref": .string("#/components/schemas/\(name)")],
                ],
            ]
        ]
    }

    private func object(
        _ message: MessageSchema, isInput: Bool, without variables: [String] = []
    ) -> JSONValue {
        let fields = message.fields.filter { !variables.contains($0.name) }
        var value: JSONValue = ["type": "object"]
        if !message.comment.isEmpty { value["description"] = .string(message.comment) }
        value["properties"] = .object(
            fields.map { field in
                var type = type(of: field, in: message)
                if !field.comment.isEmpty { type["description"] = .string(field.comment) }
                return JSONValue.Member(name: field.jsonName, value: type)
            })
        if isInput {
            value["additionalProperties"] = false
        } else {
            let always = fields.filter { !$0.hasPresence }.map { JSONValue.string($0.jsonName) }
            if !always.isEmpty { value["required"] = .array(always) }
        }
        return value
    }

    private func enumeration(_ type: EnumSchema) -> JSONValue {
        let notes = type.values.filter { !$0.comment.isEmpty }
            .map { "\($0.name): \($0.comment)" }
        var value: JSONValue = [
            "type": "string", "enum": .array(type.values.map { .string($0.name) }),
        ]
        let text = ([type.comment] + notes).filter { !$0.isEmpty }.joined(separator: " ")
        if !text.isEmpty { value["description"] = .string(text) }
        return value
    }

    // MARK: Fields

    func type(of field: FieldSchema, in message: MessageSchema) -> JSONValue {
        if let kind = field.mapValue {
            return ["type": "object", "additionalProperties": type(of: kind)]
        }
        if field.isRepeated { return ["type": "array", "items": type(of: field.kind)] }
        var value = type(of: field.kind)
        for limit in KnownLimits.of("\(message.name).\(field.name)") {
            value[limit.name] = limit.value
        }
        return value
    }

    /// As it stands in a query: a message is a JSON text.
    func queryType(of field: FieldSchema, in message: MessageSchema) -> JSONValue {
        guard case .message(let name) = field.kind else { return type(of: field, in: message) }
        let text: JSONValue = [
            "type": "string", "contentMediaType": "application/json",
            "contentSchema": ["$ref": .string("#/components/schemas/\(name)")],
        ]
        return field.isRepeated ? ["type": "array", "items": text] : text
    }

    private func type(of kind: FieldKind) -> JSONValue {
        switch kind {
        case .string: ["type": "string"]
        case .bytes: ["type": "string", "contentEncoding": "base64"]
        case .bool: ["type": "boolean"]
        case .int32:
            [
                "type": "integer", "format": "int32", "minimum": .int(Int(Int32.min)),
                "maximum": .int(Int(Int32.max)),
            ]
        case .uint32:
            [
                "type": "integer", "format": "int64", "minimum": 0,
                "maximum": .int(Int(UInt32.max)),
            ]
        case .int64: ["type": "string", "format": "int64", "pattern": "^-?[0-9]{1,19}$"]
        case .uint64: ["type": "string", "format": "uint64", "pattern": "^[0-9]{1,20}$"]
        case .enum(let name), .message(let name):
            ["$ref": .string("#/components/schemas/\(name)")]
        case .unsupported: [:]
        }
    }
}

/// Bounds that the services keep and the protos tell in words only.
enum KnownLimits {
    static func of(_ field: String) -> [JSONValue.Member] {
        switch field {
        case "wsm.v1.ListRequest.page_size":
            [.init(name: "minimum", value: 0), .init(name: "maximum", value: 1_000)]
        case "virtufin.SendRequest.timeout_ms":
            [.init(name: "minimum", value: 0), .init(name: "maximum", value: 600_000)]
        case "wsm.v1.GetRequest.kind", "wsm.v1.DeleteRequest.kind":
            [.init(name: "enum", value: ["Connection", "ConnectionSet"])]
        default: []
        }
    }
}
