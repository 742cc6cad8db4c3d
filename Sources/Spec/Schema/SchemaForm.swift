/// Where a value stands.
enum SchemaPlace: Sendable {
    /// In the `spec` of a `Connection`.
    case connection
    /// In the template of a `ConnectionSet`, where strings may hold `{{…}}`.
    case template
}

/// What JSON Schema (2020-12) can say of a value.
///
/// A form never refuses what the compiler accepts. What it cannot tell (ranges of durations and
/// sizes, limits in bytes, comparisons of two fields) is left to the compiler.
struct SchemaForm: Sendable {
    let schema: @Sendable (SchemaPlace) -> JSONValue

    /// The same in both places: numbers, bools, and strings that no row fills in.
    static func fixed(_ schema: JSONValue) -> SchemaForm {
        SchemaForm { _ in schema }
    }

    /// A string, or in a template also a string with `{{…}}`.
    static func text(_ rules: JSONValue = [:]) -> SchemaForm {
        SchemaForm { place in place.text(rules) }
    }
}

extension SchemaPlace {
    /// A string by `rules`.
    func text(_ rules: JSONValue = [:]) -> JSONValue {
        filledIn(rules.after(["type": "string"]))
    }

    /// Whatever `schema` says, or in a template a string that is filled in for each member.
    ///
    /// `if` and not `anyOf`, so that a validator names the one rule that is broken.
    func filledIn(_ schema: JSONValue) -> JSONValue {
        switch self {
        case .connection: schema
        case .template:
            [
                "if": ["type": "string", "pattern": .string(SchemaPattern.braces)],
                "then": ["$ref": "#/$defs/TemplateText"],
                "else": schema,
            ]
        }
    }

    /// A string by `rules`, or `{valueFrom: …}`.
    func value(_ rules: JSONValue = [:]) -> JSONValue {
        filledIn(rules.after(["type": ["string", "object"]]).followed(by: secretMembers))
    }

    /// `{valueFrom: …}` and no text.
    var secret: JSONValue { secretMembers.after(["type": "object"]) }

    private var secretMembers: JSONValue {
        [
            "properties": ["valueFrom": ["$ref": .string("#/$defs/\(secretSourceName)")]],
            "required": ["valueFrom"],
            "additionalProperties": false,
        ]
    }

    /// The name of ``secretSource`` among the definitions.
    var secretSourceName: String {
        switch self {
        case .connection: "SecretSource"
        case .template: "SecretSourceTemplate"
        }
    }

    /// Exactly one of `env: NAME`, `file: PATH` and `daprSecret: {store, name, key}`.
    var secretSource: JSONValue {
        [
            "description": "Where a secret comes from; the server fetches it at each dial.",
            "type": "object",
            "properties": [
                "env": described(
                    "An environment variable of the server, named by its --secret-env-prefix.",
                    text(["pattern": .string(SchemaPattern.identifier)])),
                "file": described(
                    "A file below the server's --secrets-dir.",
                    text(["pattern": .string(SchemaPattern.secretFile)])),
                "daprSecret": [
                    "description": "A secret of a store behind the server's Dapr sidecar.",
                    "type": "object",
                    "properties": [
                        "store": described("The secret store component.", text(["minLength": 1])),
                        "name": described("The name of the secret.", text(["minLength": 1])),
                        "key": described(
                            "The part of it; as the name where it is left out.",
                            text(["minLength": 1])),
                    ],
                    "required": ["store", "name"],
                    "additionalProperties": false,
                ],
            ],
            "oneOf": [
                ["required": ["env"]], ["required": ["file"]], ["required": ["daprSecret"]],
            ],
            "additionalProperties": false,
        ]
    }

    private func described(_ text: String, _ schema: JSONValue) -> JSONValue {
        schema.after(["description": .string(text)])
    }
}

extension JSONValue {
    /// The members of two objects, the other's first.
    func after(_ other: JSONValue) -> JSONValue { other.followed(by: self) }

    /// The members of two objects, the other's last.
    package func followed(by other: JSONValue) -> JSONValue {
        guard case .object(let first) = self, case .object(let rest) = other else { return self }
        return .object(first + rest)
    }
}
