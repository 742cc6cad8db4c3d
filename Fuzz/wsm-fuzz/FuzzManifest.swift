import Spec

/// The manifest compiler: YAML or JSON of any kind gives objects or diagnostics, and what it gives as
/// canonical compiles to itself.
@Sendable func fuzzManifest(_ input: [UInt8]) {
    let compilation = ManifestCompiler.compile([ManifestSource(name: "f.yaml", bytes: input)])
    require(
        !compilation.objects.isEmpty || !compilation.diagnostics.isEmpty || isBlank(input),
        "neither an object nor a word about it")
    for object in compilation.objects {
        let again = ManifestCompiler.compileJSON(object.canonical, name: "wire")
        require(again.objects.count == 1, "the canonical form does not compile")
        require(again.objects.first?.canonical == object.canonical, "it compiles to another form")
        require(again.objects.first?.digest == object.digest, "it has another digest")
        let yaml = ManifestRenderer.yaml(json: object.canonical)
        let fromYAML = ManifestCompiler.compile([
            ManifestSource(name: "g.yaml", bytes: Array(yaml.utf8))
        ])
        require(fromYAML.objects.first?.digest == object.digest, "as YAML it means another thing")
    }
    _ = ManifestCompiler.compileJSON(input, name: "wire")
}

/// Whether a source has nothing in it but blanks, comments and marks of documents.
private func isBlank(_ input: [UInt8]) -> Bool {
    !input.contains { $0 >= 0x80 }
        && input.split(separator: 10).allSatisfy { line in
            let first = line.first { $0 != 32 && $0 != 9 && $0 != 13 }
            return first == nil || first == UInt8(ascii: "#")
                || line.starts(with: Array("---".utf8))
                || line.starts(with: Array("...".utf8)) || first == UInt8(ascii: "%")
        }
}
