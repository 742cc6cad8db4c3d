import Spec

/// The manifest compiler: YAML or JSON of any kind gives objects or diagnostics, and what it gives as
/// canonical compiles to itself.
@Sendable func fuzzManifest(_ input: [UInt8]) {
    let compilation = ManifestCompiler.compile([ManifestSource(name: "f.yaml", bytes: input)])
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
