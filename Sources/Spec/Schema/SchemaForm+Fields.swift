// The forms of the field types; each stands beside its codec in the field table.

extension SchemaForm {
    static let bool = fixed(["type": "boolean"])

    static func int(_ range: ClosedRange<Int>) -> SchemaForm {
        fixed([
            "type": "integer", "minimum": .number(String(range.lowerBound)),
            "maximum": .number(String(range.upperBound)),
        ])
    }

    static func size(_ range: ClosedRange<Int>) -> SchemaForm {
        let pattern = range.contains(0) ? SchemaPattern.size : SchemaPattern.sizeAboveZero
        return text(["pattern": .string(pattern)])
    }

    static func duration(mayBeZero: Bool) -> SchemaForm {
        let pattern = mayBeZero ? SchemaPattern.duration : SchemaPattern.durationAboveZero
        return text(["pattern": .string(pattern)])
    }

    static func words(_ words: [String]) -> SchemaForm {
        text(["enum": .array(words.map { .string($0) })])
    }

    static let url = text([
        "minLength": 1, "maxLength": .number(String(Endpoint.maxURLLength)),
        "pattern": .string(SchemaPattern.url),
    ])

    static let topic = text([
        "minLength": 1, "maxLength": .number(String(TopicName.maxLength)),
        "pattern": .string(SchemaPattern.topic),
    ])

    static let jsonPath = text([
        "minLength": 1, "maxLength": .number(String(JSONPath.maxLength)),
        "pattern": .string(SchemaPattern.jsonPath),
    ])

    static let serverName = text([
        "minLength": 1, "maxLength": 253, "pattern": .string(SchemaPattern.hostName),
    ])

    /// PEM text with this line in it, or where it comes from.
    static func pem(begin: String, secretOnly: Bool) -> SchemaForm {
        SchemaForm { place in
            secretOnly ? place.secret : place.value(["pattern": .string(begin)])
        }
    }

    static let subprotocols = SchemaForm { place in
        [
            "type": "array", "maxItems": 16, "uniqueItems": true,
            "items": place.text(["pattern": .string(SchemaPattern.token)]),
        ]
    }

    static let headers = SchemaForm { place in
        [
            "type": "object", "maxProperties": .number(String(HeaderRules.maxCount)),
            "propertyNames": ["pattern": .string(SchemaPattern.headerName)],
            "additionalProperties": place.value([
                "maxLength": .number(String(HeaderRules.maxBytes)),
                "pattern": .string(SchemaPattern.headerValue),
            ]),
        ]
    }

    static let initialMessages = SchemaForm { place in
        let maxBytes = ConnectionSpec.InitialMessage.maxBytes
        let text: JSONValue = ["maxLength": .number(String(maxBytes))]
        let base64: JSONValue = [
            "contentEncoding": "base64", "maxLength": .number(String((maxBytes + 2) / 3 * 4)),
            "pattern": .string(SchemaPattern.base64),
        ]
        return [
            "type": "array",
            "maxItems": .number(String(ConnectionSpec.InitialMessage.maxCount)),
            "items": [
                "type": "object",
                "properties": ["text": place.value(text), "base64": place.value(base64)],
                "oneOf": [["required": ["text"]], ["required": ["base64"]]],
                "additionalProperties": false,
            ],
        ]
    }

    static let match = SchemaForm { place in
        let tests = ["text", "prefix", "regex", "base64Prefix", "path"]
        return [
            "type": "object",
            "properties": [
                "text": place.text(),
                "prefix": place.text(),
                "regex": place.text(),
                "base64Prefix": place.text([
                    "contentEncoding": "base64", "pattern": .string(SchemaPattern.base64),
                ]),
                "path": SchemaForm.jsonPath.schema(place),
                "equals": ["type": ["string", "number", "boolean", "null"]],
                "exists": ["const": true],
            ],
            "oneOf": .array(tests.map { ["required": [.string($0)]] }),
            "dependentRequired": ["equals": ["path"], "exists": ["path"]],
            "dependentSchemas": [
                "path": ["oneOf": [["required": ["equals"]], ["required": ["exists"]]]]
            ],
            "additionalProperties": false,
        ]
    }
}
