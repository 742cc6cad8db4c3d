package import Access
package import GRPCCore
import GRPCProtobuf
import ManagerCore
package import SwiftProtobuf

/// Calls of the API made at other instances, under the name of the caller of the present call.
package struct PeerCalls: Sendable {
    package let clients: PeerClients

    package init(clients: PeerClients) {
        self.clients = clients
    }

    /// One answer, with the metadata it came with.
    package struct Answer<Message: Sendable>: Sendable {
        package var message: Message
        package var metadata: Metadata
    }

    /// - Throws: ``NotServed`` where the instance is not the owner or cannot be reached; the
    ///   `RPCError` that it answered otherwise.
    package func unary<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ method: MethodDescriptor, at address: String, hop: Hop,
        timeout: Duration, as response: Response.Type = Response.self
    ) async throws -> Answer<Response> {
        do {
            return try await clients.client(for: address).unary(
                request: ClientRequest(message: request, metadata: clients.metadata(hop: hop)),
                descriptor: method, serializer: ProtobufSerializer<Request>(),
                deserializer: ProtobufDeserializer<Response>(), options: Self.options(timeout)
            ) { response in
                Answer(message: try response.message, metadata: response.metadata)
            }
        } catch let error as RPCError {
            throw told(error, address)
        }
    }

    /// Hands over every message of a stream until it ends, by the peer or by cancellation.
    package func stream<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ method: MethodDescriptor, at address: String,
        each: @escaping @Sendable (Response) async throws -> Void
    ) async throws {
        do {
            try await clients.client(for: address).serverStreaming(
                request: ClientRequest(message: request, metadata: clients.metadata(hop: Hop())),
                descriptor: method, serializer: ProtobufSerializer<Request>(),
                deserializer: ProtobufDeserializer<Response>(), options: Self.options(nil)
            ) { response in
                for try await message in response.messages { try await each(message) }
            }
        } catch let error as RPCError {
            throw told(error, address)
        }
    }

    private static func options(_ timeout: Duration?) -> CallOptions {
        var options = CallOptions.defaults
        options.timeout = timeout
        options.maxResponseMessageBytes = PeerLimits.answerBytes
        return options
    }

    /// Private metadata stays between instances; a failure of the transport has its own words.
    private func told(_ error: RPCError, _ address: String) -> any Error {
        if let refusal = NotServed(answer: error) { return refusal }
        guard error.code == .unavailable, !error.metadata.contains(NotServed.retryKey) else {
            var told = RPCError(code: error.code, message: error.message)
            for value in error.metadata[stringValues: NotServed.retryKey] {
                told.metadata.addString(value, forKey: NotServed.retryKey)
            }
            return told
        }
        return NotServed("the instance at \(address) does not answer (\(clients.reason(error)))")
    }
}

extension Metadata {
    fileprivate func contains(_ key: String) -> Bool {
        self[key].contains { _ in true }
    }
}
