import Access
package import GRPCCore
import ManagerAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Shows callers with the role `read` what ``ReaderView`` leaves of each answer. Comes after the
/// access interceptor, which says who calls.
package struct ReaderMasking: ServerInterceptor {
    package init() {}

    @concurrent
    package func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next:
            @concurrent @Sendable (
                _ request: StreamingServerRequest<Input>, _ context: ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        var response = try await next(request, context)
        guard Caller.current?.role == .read, Output.self is any MaskedForReaders.Type,
            case .success(var contents) = response.accepted
        else { return response }
        let producer = contents.producer
        contents.producer = { writer in
            try await producer(RPCWriter(wrapping: MaskingWriter(base: writer)))
        }
        response.accepted = .success(contents)
        return response
    }
}

/// An answer with something in it that a reader must not see.
protocol MaskedForReaders {
    mutating func maskForReader()
}

private struct MaskingWriter<Element: Sendable>: RPCWriterProtocol {
    let base: RPCWriter<Element>

    func write(_ element: Element) async throws {
        guard var masked = element as? any MaskedForReaders else {
            return try await base.write(element)
        }
        masked.maskForReader()
        // It is what it was before; were it not, nothing is better than a secret.
        guard let masked = masked as? Element else { return }
        try await base.write(masked)
    }

    func write(contentsOf elements: some Sequence<Element>) async throws {
        for element in elements { try await write(element) }
    }
}

extension Wsm_V1_Object: MaskedForReaders {
    mutating func maskForReader() {
        guard !json.isEmpty else { return }
        json = ReaderView.masked([UInt8](json)).map { Data($0) } ?? Data()
    }
}

extension Wsm_V1_ListResponse: MaskedForReaders {
    mutating func maskForReader() {
        for index in objects.indices { objects[index].maskForReader() }
    }
}

extension Wsm_V1_WatchResponse: MaskedForReaders {
    mutating func maskForReader() {
        for index in changes.indices where changes[index].hasObject {
            changes[index].object.maskForReader()
        }
    }
}

extension Wsm_V1_ApplyResponse: MaskedForReaders {
    mutating func maskForReader() {
        guard case .results(var chunk) = part else { return }
        for index in chunk.results.indices { chunk.results[index].maskEdits() }
        part = .results(chunk)
    }
}

extension Wsm_V1_ObjectResult {
    fileprivate mutating func maskEdits() {
        for index in edits.indices {
            let path = edits[index].path
            if edits[index].hasOld, ReaderView.hides(path, value: edits[index].old) {
                edits[index].old = ReaderView.hiddenText
            }
            if edits[index].hasNew, ReaderView.hides(path, value: edits[index].new) {
                edits[index].new = ReaderView.hiddenText
            }
        }
    }
}

extension Wsm_V1_GetHistoryResponse: MaskedForReaders {
    mutating func maskForReader() {
        manifests = manifests.map { json in
            ReaderView.masked([UInt8](json)).map { Data($0) } ?? Data()
        }
    }
}

extension Virtufin_ListResponse: MaskedForReaders {
    mutating func maskForReader() {
        for index in connections.indices {
            guard let query = connections[index].url.firstIndex(of: "?") else { continue }
            connections[index].url = String(connections[index].url[..<query])
        }
    }
}
