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

    @Test func coversTheClassesOfTheContract() {
        #expect(Fixtures.manifests(in: "broken").count >= 60)
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
