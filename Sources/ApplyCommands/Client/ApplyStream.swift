internal import FoundationEssentials
internal import GRPCCore
internal import ManagerAPI
internal import Spec

/// Sends objects to Apply or Plan and collects what comes back.
struct ApplyStream {
    /// Bytes of documents in one message; with their framing they stay below 1 MiB.
    static let chunkBytes = 1_000_000
    /// A document has to fit into one message.
    static let maxDocumentBytes = ServerConnection.maxMessageBytes - 4096

    let header: Wsm_V1_ApplyHeader
    let documents: [Wsm_V1_ManifestDocument]

    init(_ documents: [Wsm_V1_ManifestDocument], header: Wsm_V1_ApplyHeader) {
        self.header = header
        self.documents = documents
    }

    /// - Throws: A ``CommandFailure`` naming a document too large to travel.
    init(_ objects: [CompiledObject], header: Wsm_V1_ApplyHeader) throws {
        self.header = header
        documents = try objects.map { object in
            guard object.canonical.count <= Self.maxDocumentBytes else {
                throw CommandFailure(
                    .invalid,
                    "\(object.position): \(object.kind.rawValue) \(object.metadata.name) is"
                        + " \(object.canonical.count) bytes in JSON; at most"
                        + " \(Self.maxDocumentBytes) can be sent: split it")
            }
            var document = Wsm_V1_ManifestDocument()
            document.json = Data(object.canonical)
            document.origin = object.position.description
            return document
        }
    }

    /// Cuts a row of documents into messages: as many to one as fit, never none.
    ///
    /// - Parameter sizes: Of the documents, in bytes.
    static func chunks(of sizes: [Int], limit: Int = chunkBytes) -> [Range<Int>] {
        var chunks: [Range<Int>] = []
        var start = 0
        var bytes = 0
        for (index, size) in sizes.enumerated() {
            if index > start, bytes + size > limit {
                chunks.append(start..<index)
                start = index
                bytes = 0
            }
            bytes += size
        }
        if start < sizes.count { chunks.append(start..<sizes.count) }
        return chunks
    }

    /// Writes the header, then the documents.
    private func send(to writer: RPCWriter<Wsm_V1_ApplyRequest>) async throws {
        var request = Wsm_V1_ApplyRequest()
        request.header = header
        try await writer.write(request)
        let sizes = documents.map { $0.json.count + $0.origin.utf8.count + 16 }
        for range in Self.chunks(of: sizes) {
            var chunk = Wsm_V1_ApplyChunk()
            chunk.documents = Array(documents[range])
            request.chunk = chunk
            try await writer.write(request)
        }
    }

    func apply(
        on server: ServerConnection, received: @escaping @Sendable (Wsm_V1_ApplyResponse) -> Void
    ) async throws {
        try await server.orchestrator.apply(
            options: ServerConnection.options(),
            requestProducer: { try await send(to: $0) },
            onResponse: { response in
                for try await message in response.messages { received(message) }
            })
    }

    func plan(
        on server: ServerConnection, received: @escaping @Sendable (Wsm_V1_ApplyResponse) -> Void
    ) async throws {
        try await server.orchestrator.plan(
            options: ServerConnection.options(),
            requestProducer: { try await send(to: $0) },
            onResponse: { response in
                for try await message in response.messages { received(message) }
            })
    }
}
