/// Why a stored spec cannot be read: its place and a sentence.
package struct SpecJSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The field, as `keepalive.pingInterval`; empty where the text is no JSON.
    package let path: String
    package let message: String

    package var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// The stored form of a resolved spec: compact canonical JSON with every effective value.
///
/// Relations between fields were settled when the manifest was compiled and are not looked at again.
package enum SpecJSON {
    package static func encode(_ spec: ConnectionSpec) -> [UInt8] {
        var writer = JSONWriter(reserving: 1024)
        SpecEncoder.encode(spec, &writer)
        return writer.bytes
    }

    /// Reads what ``encode(_:)`` wrote; types, ranges and unknown keys are checked.
    package static func decode(_ json: [UInt8]) throws(SpecJSONError) -> ConnectionSpec {
        let root: Node
        do throws(NodeBuilder.Abort) {
            let document = try JSONNodeReader.read(json)
            if let finding = document.findings.first {
                throw NodeBuilder.Abort(
                    mark: finding.mark, message: "\(finding.path): \(finding.message)")
            }
            root = document.root
        } catch {
            throw SpecJSONError(
                path: "", message: "\(error.mark.line):\(error.mark.column): \(error.message)")
        }
        return try decode(root)
    }

    /// The same for a spec that stands within a document that was parsed already.
    package static func decode(_ value: JSONValue) throws(SpecJSONError) -> ConnectionSpec {
        try decode(Node(value))
    }

    private static func decode(_ root: Node) throws(SpecJSONError) -> ConnectionSpec {
        var report = DiagnosticCollector(file: "")
        var decoder = SpecDecoder(prefix: "spec")
        decoder.decode(root, &report)
        if let problem = report.diagnostics.first {
            throw SpecJSONError(
                path: String(problem.path.dropFirst("spec.".count)), message: problem.message)
        }
        return decoder.draft.spec
    }
}
