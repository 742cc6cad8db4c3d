/// The JSON Schema (2020-12) of manifests, made from the field table.
///
/// It accepts every document the compiler accepts, and refuses what a schema can tell of one
/// document. What it leaves to the compiler: ranges of durations and sizes, limits in bytes,
/// comparisons of two fields, names used twice, the syntax of regular expressions, and whether a
/// set's rows have the variables its template uses. Strings of the template of a set that hold
/// `{{…}}` are checked for their grammar only.
package enum ManifestSchema {
    package static let identifier = "https://wsm.virtufin.com/schema/v1.json"

    /// The schema of every kind, or of one.
    package static func document(_ kind: ObjectKind? = nil) -> JSONValue {
        guard let kind else { return every }
        let name = kind.rawValue
        return [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": .string("https://wsm.virtufin.com/schema/v1/\(name.lowercased()).json"),
            "title": .string("wsm \(name), version v1"),
            "$ref": .string("#/$defs/\(name)"),
            "$defs": definitions([kind]),
        ]
    }

    /// The kind decides what else is looked at, so that a fault is told of the kind that was meant.
    private static var every: JSONValue {
        let kinds = ObjectKind.allCases.map { JSONValue.string($0.rawValue) }
        let cases = ObjectKind.allCases.map { kind -> JSONValue in
            [
                "if": [
                    "required": ["kind"],
                    "properties": ["kind": ["const": .string(kind.rawValue)]],
                ],
                "then": ["$ref": .string("#/$defs/\(kind.rawValue)")],
            ]
        }
        return [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": .string(identifier),
            "title": "wsm manifest, version v1",
            "description": "One document of a manifest file: a Connection or a ConnectionSet.",
            "type": "object",
            "properties": ["apiVersion": version, "kind": ["enum": .array(kinds)]],
            "required": ["apiVersion", "kind", "metadata", "spec"],
            "allOf": .array(cases),
            "$defs": definitions(ObjectKind.allCases),
        ]
    }

    private static let version: JSONValue = [
        "description": "The version of the format.", "const": .string(ManifestVersion.v1),
    ]

    private static func definitions(_ kinds: [ObjectKind]) -> JSONValue {
        var members: [JSONValue.Member] = kinds.map { kind in
            switch kind {
            case .connection:
                .init(kind.rawValue, object(kind, spec: ["$ref": "#/$defs/ConnectionSpec"]))
            case .connectionSet: .init(kind.rawValue, object(kind, spec: SetSchema.spec))
            }
        }
        members.append(.init("Metadata", MetadataSchema.object))
        if kinds.contains(.connection) {
            members += [
                .init("ConnectionSpec", SpecSchema(place: .connection).schema),
                .init(
                    SchemaPlace.connection.secretSourceName, SchemaPlace.connection.secretSource),
            ]
        }
        if kinds.contains(.connectionSet) {
            members += [
                .init("MetadataTemplate", MetadataSchema.template),
                .init("ConnectionSpecTemplate", SpecSchema(place: .template).schema),
                .init(SchemaPlace.template.secretSourceName, SchemaPlace.template.secretSource),
                .init("TemplateText", SetSchema.templateText),
            ]
        }
        return .object(members)
    }

    private static func object(_ kind: ObjectKind, spec: JSONValue) -> JSONValue {
        [
            "description": .string(kind.summary),
            "type": "object",
            "properties": [
                "apiVersion": version,
                "kind": [
                    "description": "What the document declares.", "const": .string(kind.rawValue),
                ],
                "metadata": ["$ref": "#/$defs/Metadata"],
                "spec": spec,
                "status": ["description": "Written by the server only.", "readOnly": true],
            ],
            "required": ["apiVersion", "kind", "metadata", "spec"],
            "additionalProperties": false,
        ]
    }
}
