/// The schema of a connection's `spec`, made from the field table.
struct SpecSchema {
    let place: SchemaPlace

    /// The whole `spec`.
    var schema: JSONValue { object(FieldTable.fields, at: "") }

    /// A map of fields whose paths begin with `prefix`.
    private func object(_ fields: [Field], at prefix: String) -> JSONValue {
        var keys: [String] = []
        var groups: [String: [Field]] = [:]
        for field in fields {
            let key = String(field.path.dropFirst(prefix.count).prefix { $0 != "." })
            if groups[key] == nil { keys.append(key) }
            groups[key, default: []].append(field)
        }
        let properties = keys.map { key in
            let members = groups[key] ?? []
            let isField = members.count == 1 && members[0].path == prefix + key
            return JSONValue.Member(
                key, isField ? value(members[0]) : group(members, at: prefix + key))
        }
        var schema: JSONValue = ["type": "object", "properties": .object(properties)]
        let required = fields.filter { $0.isRequired }.map { JSONValue.string($0.path) }
        if !required.isEmpty { schema = schema.followed(by: ["required": .array(required)]) }
        return schema.followed(by: relations(of: prefix))
            .followed(by: ["additionalProperties": false])
    }

    private func group(_ fields: [Field], at path: String) -> JSONValue {
        object(fields, at: path + ".").after([
            "title": .string(path),
            "description": .string(FieldTable.groupSummaries[path] ?? ""),
        ])
    }

    private func value(_ field: Field) -> JSONValue {
        var notes: JSONValue = [
            "title": .string(field.path), "description": .string(Self.description(of: field)),
        ]
        if let standard = field.standard { notes = notes.followed(by: ["default": standard]) }
        if let example = field.example { notes = notes.followed(by: ["examples": [example]]) }
        return notes.followed(by: field.form.schema(place))
    }

    /// Without the marks of the reference page.
    private static func description(of field: Field) -> String {
        let standard = field.isRequired ? "" : " Default: \(field.defaultText)."
        let text =
            "\(field.summary) Range: \(field.rangeText).\(standard)"
            + " An edit is \(field.edit.word): \(field.edit.meaning)."
        return text.filter { $0 != "`" }
    }

    /// What fields of one map say of each other.
    private func relations(of prefix: String) -> JSONValue {
        switch prefix {
        case "":
            // A secure URL, or in a template one that may become secure.
            let secure = place == .template ? #"^[Ww][Ss][Ss]:|\{\{"# : "^[Ww][Ss][Ss]:"
            return dependent("tls", needs: ["properties": ["url": ["pattern": .string(secure)]]])
        case "tls.":
            return ["dependentRequired": ["cert": ["key"], "key": ["cert"]]]
        case "correlation.":
            let next: JSONValue = [
                "required": ["mode"], "properties": ["mode": place.filledIn(["const": "next"])],
            ]
            let json: JSONValue = [
                "properties": ["mode": place.filledIn(["enum": ["auto", "jsonField"]])]
            ]
            return ["dependentSchemas": ["match": next, "field": json]]
        default:
            return [:]
        }
    }

    private func dependent(_ key: String, needs schema: JSONValue) -> JSONValue {
        ["dependentSchemas": .object([.init(key, schema)])]
    }
}
