import ManagerAPI
import SwiftProtobuf

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The body of a call that takes a stream: an array of its messages, or the friendly form
/// `{"header": {…}, "documents": [manifest, …]}` with manifests as plain JSON.
struct ApplyBody {
    let schema: ProtoSchema
    let method: MethodSchema

    /// - Parameter text: What `node` was parsed from; manifests are passed on byte for byte.
    func messages(_ node: JSONNode, text: [UInt8]) throws(FieldProblem) -> [[UInt8]] {
        let encoder = MessageEncoder(schema: schema)
        switch node.value {
        case .array(let elements):
            var messages: [[UInt8]] = []
            for (index, element) in elements.enumerated() {
                let path = FieldPath().appending(index)
                messages.append(try encoder.encode(element, as: method.input, at: path))
            }
            return messages
        case .object(let members):
            return try friendly(members, text: text, encoder)
        default:
            throw FieldProblem(
                path: "",
                sentence: "the body must be an array of \(method.input), or an object with "
                    + "header and documents")
        }
    }

    private func friendly(
        _ members: [JSONNode.Member], text: [UInt8], _ encoder: MessageEncoder
    ) throws(FieldProblem) -> [[UInt8]] {
        var header: [UInt8] = []
        var documents: [JSONNode] = []
        for member in members {
            let path = FieldPath().appending(member.name)
            switch member.name {
            case "header":
                header = try encoder.encode(
                    member.node, as: Wsm_V1_ApplyHeader.protoMessageName, at: path)
            case "documents":
                guard case .array(let elements) = member.node.value else {
                    throw path.problem("must be an array, not \(member.node.kind)")
                }
                documents = elements
            default:
                throw FieldProblem(
                    path: "",
                    sentence: "there is no field \(Quoted(member.name)); there are header, "
                        + "documents (messages of the stream go into an array)")
            }
        }
        var first: [UInt8] = []
        WireWriter.bytesField(1, header, to: &first)
        return try [first] + chunks(documents, text: text)
    }

    private func chunks(
        _ documents: [JSONNode], text: [UInt8]
    ) throws(FieldProblem) -> [[UInt8]] {
        var messages: [[UInt8]] = []
        var chunk = Wsm_V1_ApplyChunk()
        var bytes = 0
        for (index, node) in documents.enumerated() {
            let origin = "documents[\(index)]"
            guard case .object = node.value else {
                throw FieldProblem(
                    path: origin, sentence: "must be a manifest, not \(node.kind)")
            }
            if bytes + node.range.count > HTTPLimits.maxChunkBytes, !chunk.documents.isEmpty {
                messages.append(Self.message(chunk))
                (chunk, bytes) = (Wsm_V1_ApplyChunk(), 0)
            }
            var document = Wsm_V1_ManifestDocument()
            document.json = Data(text[node.range])
            document.origin = origin
            chunk.documents.append(document)
            bytes += node.range.count
        }
        if !chunk.documents.isEmpty { messages.append(Self.message(chunk)) }
        return messages
    }

    private static func message(_ chunk: Wsm_V1_ApplyChunk) -> [UInt8] {
        var request = Wsm_V1_ApplyRequest()
        request.chunk = chunk
        // Proto3 has no required field, so that this cannot fail.
        return (try? request.serializedBytes()) ?? []
    }
}
