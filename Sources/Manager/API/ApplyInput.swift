package import GRPCCore
package import ManagerAPI
package import Spec

/// An apply's stream read to its end: nothing is changed before that.
package struct ApplyInput: Sendable {
    /// All documents of one apply together. A set of 100,000 members is one document of some MiB;
    /// this holds what a person keeps in a repository many times over.
    package static let maxBytes = 64 << 20
    /// As for the files of a manifest directory.
    package static let maxDocuments = 10_000
    /// Of a document's place, in characters; it is shown in messages.
    static let longestOrigin = 512

    package var header: Wsm_V1_ApplyHeader
    package var objects: [CompiledObject]
    package var warnings: [String]

    /// - Throws: ``ManagerError``: a stream out of order, too much of it, or documents that do not
    ///   compile, every problem named.
    package static func read(
        _ stream: RPCAsyncSequence<Wsm_V1_ApplyRequest, any Error>
    ) async throws -> ApplyInput {
        var header: Wsm_V1_ApplyHeader?
        var documents: [Wsm_V1_ManifestDocument] = []
        var bytes = 0
        for try await message in stream {
            switch message.part {
            case .header(let value):
                guard header == nil else {
                    throw ManagerError(.invalidArgument, "the header may be sent once")
                }
                header = value
            case .chunk(let chunk):
                guard header != nil else {
                    throw ManagerError(.invalidArgument, "the header must be sent first")
                }
                // What is kept is what counts: the two fields, the place cut.
                for document in chunk.documents {
                    var kept = Wsm_V1_ManifestDocument()
                    kept.json = document.json
                    kept.origin = String(document.origin.prefix(longestOrigin))
                    bytes += kept.json.count + kept.origin.utf8.count
                    documents.append(kept)
                }
                guard bytes <= maxBytes, documents.count <= maxDocuments else {
                    throw ManagerError(
                        .resourceExhausted,
                        "one apply takes at most \(maxDocuments) documents and "
                            + "\(SizeText.format(maxBytes)): apply in parts, with a --set each")
                }
            case nil:
                throw ManagerError(.invalidArgument, "a message with neither header nor chunk")
            }
        }
        guard let header else {
            throw ManagerError(.invalidArgument, "the stream ended before its header")
        }
        return try compile(documents, header: header)
    }

    private static func compile(
        _ documents: [Wsm_V1_ManifestDocument], header: Wsm_V1_ApplyHeader
    ) throws -> ApplyInput {
        var input = ApplyInput(header: header, objects: [], warnings: [])
        var errors: [String] = []
        var places: [String: String] = [:]
        for (index, document) in documents.enumerated() {
            let origin =
                document.origin.isEmpty
                ? "document \(index + 1)" : document.origin
            let compilation = ManifestCompiler.compileJSON([UInt8](document.json), name: origin)
            for diagnostic in compilation.diagnostics {
                // Its own position is in the document as it was sent, which nobody has seen.
                let path = diagnostic.path.isEmpty ? "" : "\(diagnostic.path): "
                let line = "\(origin): \(path)\(diagnostic.message)"
                if diagnostic.severity == .error {
                    errors.append(line)
                } else {
                    input.warnings.append(line)
                }
            }
            for object in compilation.objects {
                for name in names(of: object) {
                    if let other = places.updateValue(origin, forKey: name) {
                        errors.append("\(origin): \(name) is declared in \(other) too")
                    }
                }
                input.objects.append(object)
            }
        }
        guard errors.isEmpty else {
            throw ManagerError(.invalidArgument, Self.summary(of: errors))
        }
        return input
    }

    private static func names(of object: CompiledObject) -> [String] {
        let connections = object.connections.map { "Connection \($0.metadata.name)" }
        return object.kind == .connectionSet
            ? ["ConnectionSet \(object.metadata.name)"] + connections : connections
    }

    /// gRPC carries a message in a header of limited size.
    private static func summary(of errors: [String]) -> String {
        let shown = errors.prefix(20).joined(separator: "\n")
        let text = String(shown.prefix(6_000))
        return errors.count > 20 ? text + "\n… and \(errors.count - 20) more" : text
    }
}
