/// The schema of `metadata`: of an object, and of the template of a set.
enum MetadataSchema {
    static let object: JSONValue = [
        "description": "The object's name, and notes of its authors.",
        "type": "object",
        "properties": JSONValue.object([
            .init("name", name), .init("labels", labels(.connection)),
            .init("annotations", annotations(.connection)),
            .init("resourceVersion", resourceVersion),
        ]).followed(by: serverOnly),
        "required": ["name"],
        "additionalProperties": false,
    ]

    static let template: JSONValue = [
        "description": "Labels and annotations of the members.",
        "type": "object",
        "properties": ["labels": labels(.template), "annotations": annotations(.template)],
        "additionalProperties": false,
    ]

    static let name: JSONValue = [
        "description": "The name, which is also the id of the API.",
        "type": "string", "minLength": 1, "maxLength": .number(String(ObjectName.maxLength)),
        "pattern": .string(SchemaPattern.objectName),
    ]

    private static let resourceVersion: JSONValue = [
        "description": "Where it is given it must match the stored one, else the apply conflicts.",
        "type": "string", "pattern": .string(SchemaPattern.plain),
    ]

    private static let serverOnly = JSONValue.object(
        MetadataDecoder.serverOnly.map {
            .init($0, ["description": "Written by the server only.", "readOnly": true])
        })

    private static func labels(_ place: SchemaPlace) -> JSONValue {
        [
            "description": "Labels, which are the API's tags.",
            "type": "object",
            "maxProperties": .number(String(TagLimits.maxCount)),
            "propertyNames": [
                "minLength": 1, "maxLength": .number(String(TagLimits.maxKeyLength)),
                "pattern": .string(SchemaPattern.plain),
            ],
            "additionalProperties": place.text([
                "maxLength": .number(String(TagLimits.maxValueLength)),
                "pattern": .string(SchemaPattern.plain),
            ]),
        ]
    }

    private static func annotations(_ place: SchemaPlace) -> JSONValue {
        let prune: JSONValue = [
            "description": "A prune skips the object and names it.", "const": "disabled",
        ]
        let membership: JSONValue = [
            "description": "Written by the server only.", "readOnly": true,
        ]
        var known = [JSONValue.Member(Metadata.pruneAnnotation, prune)]
        if place == .connection {
            known.append(.init(Metadata.connectionSetAnnotation, membership))
        }
        return [
            "description": "Notes for people and tools; at most 64KiB in all.",
            "type": "object",
            "properties": .object(known),
            "propertyNames": [
                "pattern": .string(SchemaPattern.plain),
                "if": ["pattern": #"^wsm\.virtufin\.com/"#],
                "then": ["enum": .array(known.map { .string($0.key) })],
            ],
            "additionalProperties": place.text([
                "maxLength": .number(String(MetadataDecoder.maxAnnotationBytes))
            ]),
        ]
    }
}
