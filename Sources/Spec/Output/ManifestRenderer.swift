/// Writes manifests for people and for the wire.
package enum ManifestRenderer {
    /// The manifest in canonical JSON: `apiVersion`, `kind`, `metadata`, and in `spec` only what was
    /// declared. Compiles to the same manifest.
    package static func json(_ manifest: ConnectionManifest) -> [UInt8] {
        document(.connection, manifest.metadata) { writer in
            SpecEncoder.encode(manifest.spec, declared: manifest.declared, &writer)
        }
    }

    /// Any JSON document as block YAML that reads as the same values; what is no JSON stays as it is.
    package static func yaml(json: [UInt8]) -> String {
        guard let value = try? JSONValue.parse(json) else {
            return String(decoding: json, as: UTF8.self)
        }
        return yaml(value)
    }

    /// A tree as block YAML, ending in a line feed.
    package static func yaml(_ value: JSONValue) -> String {
        var writer = YAMLWriter()
        writer.document(value)
        return writer.text
    }

    /// The frame that both kinds share.
    static func document(
        _ kind: ObjectKind, _ metadata: Metadata, spec: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.beginObject()
        writer.member("apiVersion", ManifestVersion.v1)
        writer.member("kind", kind.rawValue)
        writer.key("metadata")
        write(metadata, &writer)
        writer.key("spec")
        spec(&writer)
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ metadata: Metadata, _ writer: inout JSONWriter) {
        writer.beginObject()
        if !metadata.annotations.isEmpty {
            writer.key("annotations")
            writer.map(metadata.annotations)
        }
        if !metadata.labels.isEmpty {
            writer.key("labels")
            writer.map(metadata.labels)
        }
        writer.member("name", metadata.name)
        if let version = metadata.resourceVersion { writer.member("resourceVersion", version) }
        writer.endObject()
    }
}
