/// The schema of the `spec` of a `ConnectionSet`.
enum SetSchema {
    static let spec: JSONValue = [
        "type": "object",
        "properties": [
            "list": [
                "description": "One row of variables for each member.",
                "type": "array", "maxItems": .number(String(ManifestLimits.maxMembers)),
                "items": variables(cell),
            ],
            "matrix": variables([
                "type": "array", "maxItems": .number(String(ManifestLimits.maxMembers)),
                "items": cell,
            ]).after(["description": "All combinations of the lists."]),
            "name": SchemaPlace.template.filledIn(MetadataSchema.name).after([
                "description": "The members' names, with {{variable}}.",
                "type": "string", "pattern": .string(SchemaPattern.plain),
            ]),
            "template": template,
        ],
        "required": ["name", "template"],
        "oneOf": [["required": ["list"]], ["required": ["matrix"]]],
        "additionalProperties": false,
    ]

    private static let template: JSONValue = [
        "description": "What each member declares; strings may hold {{variable}}.",
        "type": "object",
        "properties": [
            "metadata": ["$ref": "#/$defs/MetadataTemplate"],
            "spec": ["$ref": "#/$defs/ConnectionSpecTemplate"],
        ],
        "required": ["spec"],
        "additionalProperties": false,
    ]

    /// A string with something to fill in.
    static let templateText: JSONValue = [
        "description": .string(
            "A string with {{variable}}, {{variable|lower}} or {{variable|upper}}; {{{{ writes {{."),
        "type": "string", "pattern": .string(SchemaPattern.templateText),
    ]

    /// The value of a variable.
    private static let cell: JSONValue = [
        "type": ["string", "integer", "boolean"], "pattern": .string(SchemaPattern.plain),
    ]

    private static func variables(_ value: JSONValue) -> JSONValue {
        [
            "type": "object", "maxProperties": .number(String(ManifestLimits.maxVariables)),
            "propertyNames": ["pattern": .string(SchemaPattern.identifier)],
            "additionalProperties": value,
        ]
    }
}
