import Testing

@testable import Spec

/// Every file of `Fixtures/valid` against what it resolves to.
struct ValidManifestTests {
    static let names = Fixtures.manifests(in: "valid")

    @Test(arguments: names)
    func resolvesToTheExpectedObjects(_ name: String) throws {
        let compilation = try compileFixture(name)
        #expect(!compilation.hasErrors)
        var documents = compilation.lines.map { "# \($0)\n" }.joined()
        for object in compilation.objects {
            documents += "---\n" + ManifestRenderer.yaml(try resolved(object))
        }
        let stem = name.split(separator: ".").dropLast().joined(separator: ".")
        let url = Fixtures.url("valid", stem + ".resolved.yaml")
        #expect(try Fixtures.expected(url, actual: documents) == documents)
    }

    @Test(arguments: names)
    func canonicalFormCompilesToItself(_ name: String) throws {
        for object in try compileFixture(name).objects {
            for compilation in [
                ManifestCompiler.compileJSON(object.canonical, name: "wire"),
                compile(ManifestRenderer.yaml(json: object.canonical)),
            ] {
                let again = try #require(compilation.objects.first, "\(compilation.lines)")
                #expect(again.canonical == object.canonical)
                #expect(again.digest == object.digest)
                #expect(again.metadata == object.metadata)
                #expect(again.connections == object.connections, "another member")
            }
        }
    }

    @Test(arguments: names)
    func renderedConnectionCompilesToTheSameConnection(_ name: String) throws {
        for object in try compileFixture(name).objects where object.kind == .connection {
            let manifest = object.connections[0]
            let yaml = ManifestRenderer.yaml(json: ManifestRenderer.json(manifest))
            #expect(compile(yaml).objects.first?.connections.first == manifest, "\(yaml)")
        }
    }

    @Test(arguments: names)
    func storedSpecReadsBackEqual(_ name: String) throws {
        for object in try compileFixture(name).objects {
            for connection in object.connections {
                let stored = SpecJSON.encode(connection.spec)
                #expect(try SpecJSON.decode(stored) == connection.spec)
            }
        }
    }

    private func compileFixture(_ name: String) throws -> Compilation {
        let bytes = try Fixtures.bytes("valid", name)
        return ManifestCompiler.compile([ManifestSource(name: name, bytes: bytes)])
    }

    private func resolved(_ object: CompiledObject) throws -> JSONValue {
        let connections = try object.connections.map { connection in
            JSONValue.object([
                .init("name", .string(connection.metadata.name)),
                .init("labels", .strings(connection.metadata.labels)),
                .init("annotations", .strings(connection.metadata.annotations)),
                .init("declared", .array(connection.declared.sorted().map { .string($0) })),
                .init("spec", try JSONValue.parse(SpecJSON.encode(connection.spec))),
            ])
        }
        return .object([
            .init("kind", .string(object.kind.rawValue)),
            .init("name", .string(object.metadata.name)),
            .init("resourceVersion", object.metadata.resourceVersion.map { .string($0) } ?? .null),
            .init("position", .string("\(object.position)")),
            .init("digest", .string(object.digest)),
            .init("connections", .array(connections)),
        ])
    }
}

extension JSONValue {
    fileprivate static func strings(_ map: [String: String]) -> JSONValue {
        .object(map.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
    }
}
