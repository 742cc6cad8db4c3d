internal import Crypto

/// The digest of what a manifest means, so that two spellings of one meaning have one digest.
///
/// It covers kind, name, labels, annotations and every effective field that differs from the built-in
/// default, so that a field added later changes no digest. What the server writes is left out.
package enum ManifestDigest {
    private static let defaults = ConnectionSpec(url: "")

    /// The fields by path, so that the order of the table has no meaning.
    private static let order: [Int] = FieldTable.fields.indices.sorted {
        JSONWriter.isBefore(FieldTable.fields[$0].path, FieldTable.fields[$1].path)
    }

    /// SHA-256 in lower-case hex.
    package static func of(_ manifest: ConnectionManifest) -> String {
        var writer = JSONWriter(reserving: 512)
        write(manifest, &writer)
        var hasher = SHA256()
        writer.bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return hex(hasher.finalize())
    }

    /// SHA-256 in lower-case hex; the order of the members has no meaning.
    package static func of(_ set: ConnectionSetManifest) -> String {
        var head = JSONWriter()
        head.beginObject()
        write(set.metadata, kind: .connectionSet, &head)
        head.endObject()
        let sorted = set.members.indices.sorted {
            set.members[$0].metadata.name < set.members[$1].metadata.name
        }
        var hasher = SHA256()
        head.bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        for index in sorted {
            var writer = JSONWriter(reserving: 512)
            write(set.members[index], &writer)
            writer.bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        }
        return hex(hasher.finalize())
    }

    private static func write(_ manifest: ConnectionManifest, _ writer: inout JSONWriter) {
        writer.beginObject()
        write(manifest.metadata, kind: .connection, &writer)
        for index in order {
            let field = FieldTable.fields[index]
            guard !field.isEqual(manifest.spec, defaults) else { continue }
            writer.key(field.path)
            field.encode(manifest.spec, &writer)
        }
        writer.endObject()
    }

    private static func write(
        _ metadata: Metadata, kind: ObjectKind, _ writer: inout JSONWriter
    ) {
        var annotations = metadata.annotations
        annotations[Metadata.connectionSetAnnotation] = nil
        writer.member("kind", kind.rawValue)
        writer.member("name", metadata.name)
        writer.key("labels")
        writer.map(metadata.labels)
        writer.key("annotations")
        writer.map(annotations)
    }

    private static func hex(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * SHA256.byteCount)
        for byte in digest {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 0x0F)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
