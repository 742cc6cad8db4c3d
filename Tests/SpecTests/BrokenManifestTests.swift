import Testing

@testable import Spec

/// Every file of `Fixtures/broken` against the diagnostics beside it.
struct BrokenManifestTests {
    @Test(arguments: Fixtures.manifests(in: "broken"))
    func givesExactlyTheExpectedDiagnostics(_ name: String) throws {
        let bytes = try Fixtures.bytes("broken", name)
        let compilation = ManifestCompiler.compile([ManifestSource(name: name, bytes: bytes)])
        let actual = compilation.lines.map { $0 + "\n" }.joined()
        let url = Fixtures.url("broken", name + ".expected")
        #expect(try Fixtures.expected(url, actual: actual) == actual)
        #expect(compilation.hasErrors)
        for diagnostic in compilation.diagnostics {
            #expect(diagnostic.position.line >= 1 && diagnostic.position.column >= 1)
            #expect(diagnostic.position.file == name)
        }
    }

    /// The classes of broken manifests, and the beginnings of the fixtures of each.
    static let classes: [String: [String]] = [
        "syntax": ["syntax-"], "alias bomb": ["alias-bomb"], "depth": ["depth"],
        "size": ["set-matrix-size"], "encoding": ["encoding-"], "tag": ["tag-"],
        "root": ["root-"], "kind": ["kind-"], "version": ["version-"],
        "unknown key": ["key-unknown"], "duplicate key": ["key-duplicate"],
        "wrong type": ["type-bool", "type-int", "type-string"],
        "durations": ["duration.", "duration-range"], "sizes": ["size."], "URL": ["url."],
        "headers": ["headers."], "subprotocol": ["subprotocols."], "base64": ["on-open."],
        "one-of": ["value-from", "set-both", "match"], "relations": ["relation-"],
        "duplicate names": ["duplicate-names", "duplicate-member"],
    ]

    @Test func coversTheClassesOfTheContract() {
        let names = Fixtures.manifests(in: "broken")
        #expect(names.count >= 60)
        for (kind, prefixes) in Self.classes {
            for prefix in prefixes {
                #expect(names.contains { $0.hasPrefix(prefix) }, "\(kind): \(prefix)")
            }
        }
    }

    @Test func namesBothPlacesOfANameInTwoFiles() {
        let text = Array(connectionYAML("  url: ws://a/").utf8)
        let compilation = ManifestCompiler.compile([
            ManifestSource(name: "one.yaml", bytes: text),
            ManifestSource(name: "-", bytes: text),
        ])
        #expect(
            compilation.lines == [
                "<stdin>:3:18: metadata.name: a Connection named a is there already, "
                    + "at one.yaml:3:18"
            ])
        #expect(compilation.objects.count == 1)
    }
}
