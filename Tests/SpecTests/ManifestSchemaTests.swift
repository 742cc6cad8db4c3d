import Testing

@testable import Spec

struct ManifestSchemaTests {
    @Test func everyFieldOfTheTableIsInBothSpecs() throws {
        for definition in ["ConnectionSpec", "ConnectionSpecTemplate"] {
            let root = try #require(ManifestSchema.document()["$defs"]?[definition])
            for field in FieldTable.fields {
                var schema = root
                for key in field.path.split(separator: ".") {
                    schema = try #require(schema["properties"]?[String(key)], "\(field.path)")
                }
                #expect(schema["title"] == .string(field.path))
                #expect(schema["default"] == (field.isRequired ? nil : field.standard))
            }
        }
    }

    @Test func everyMapRefusesUnknownKeys() {
        var open: [String] = []
        func look(_ value: JSONValue, at path: String) {
            guard case .object(let members) = value else { return }
            if value["properties"] != nil, value["type"] == "object",
                value["additionalProperties"] == nil
            {
                open.append(path)
            }
            for member in members { look(member.value, at: "\(path)/\(member.key)") }
        }
        look(ManifestSchema.document(), at: "")
        // The document itself leaves that to its kind.
        #expect(open == [""])
    }

    @Test func everyReferenceLeadsToADefinition() throws {
        for kind in [nil, ObjectKind.connection, .connectionSet] {
            let document = ManifestSchema.document(kind)
            var used: Set<String> = []
            func look(_ value: JSONValue) {
                switch value {
                case .object(let members):
                    if case .string(let target)? = value["$ref"] {
                        used.insert(String(target.dropFirst("#/$defs/".count)))
                    }
                    for member in members { look(member.value) }
                case .array(let items): items.forEach(look)
                default: break
                }
            }
            look(document)
            guard case .object(let members)? = document["$defs"] else {
                Issue.record("no definitions")
                continue
            }
            #expect(used == Set(members.map(\.key)))
        }
    }

    @Test func onlyStringsThatARowFillsInMayHoldBraces() throws {
        let spec = try #require(ManifestSchema.document()["$defs"]?["ConnectionSpecTemplate"])
        for field in FieldTable.fields where !field.isExpandable {
            #expect(field.form.schema(.template) == field.form.schema(.connection), "\(field.path)")
        }
        let topic = try #require(spec["properties"]?["topic"])
        #expect(topic["then"] == ["$ref": "#/$defs/TemplateText"])
        #expect(topic["else"]?["maxLength"] == 256)
    }

    @Test func everyExampleCompilesWithoutAWarning() throws {
        #expect(Set(FieldTable.examples.keys) == Set(FieldTable.fields.map(\.path)))
        for field in FieldTable.fields {
            let example = try #require(field.example, "\(field.path)")
            var spec: JSONValue = ["url": "wss://a.example/"]
            switch field.path {
            case "url": spec = [:]
            case "requireSubprotocol": spec = spec.followed(by: ["subprotocols": ["a"]])
            case "correlation.match": spec = spec.followed(by: ["correlation": ["mode": "next"]])
            case let path where path.hasPrefix("compression."):
                spec = spec.followed(by: ["compression": ["mode": "require"]])
            case "tls.cert": spec = spec.followed(by: ["tls": ["key": FieldTable.secret]])
            case "tls.key": spec = spec.followed(by: ["tls": ["cert": FieldTable.secret]])
            default: break
            }
            let keys = field.path.split(separator: ".").map(String.init)
            spec = spec.setting(example, at: keys[...])
            let manifest: JSONValue = [
                "apiVersion": .string(ManifestVersion.v1), "kind": "Connection",
                "metadata": ["name": "a"], "spec": spec,
            ]
            let compilation = ManifestCompiler.compileJSON(manifest.serialized(), name: "e")
            #expect(compilation.lines == [], "\(field.path)")
        }
    }

    @Test func groupsHaveTheirSentence() {
        let groups = Set(
            FieldTable.fields.flatMap { field in
                field.path.indices.filter { field.path[$0] == "." }.map {
                    String(field.path[..<$0])
                }
            })
        #expect(Set(FieldTable.groupSummaries.keys) == groups)
    }
}

extension FieldTable {
    fileprivate static let secret: JSONValue = ["valueFrom": ["file": "a"]]
}

extension JSONValue {
    /// The same object with one more value in it.
    fileprivate func setting(_ value: JSONValue, at keys: ArraySlice<String>) -> JSONValue {
        guard let key = keys.first else { return value }
        guard case .object(let members) = self else { return self }
        let inner = (self[key] ?? [:]).setting(value, at: keys.dropFirst())
        return .object(members.filter { $0.key != key } + [.init(key, inner)])
    }
}
