package import GRPCCore
import Spec
import SwiftProtobuf

/// Refuses a request message that is too large, with a sentence.
///
/// The transport knows a limit too, but what it finds too large it answers with a reset stream,
/// which tells a caller nothing; so its limit lies above this one.
package struct RequestSizeLimit: ServerInterceptor {
    /// Of one message; gRPC's own customary limit, which other servers have too.
    static let maxBytes = 4 << 20
    /// Of the transport, in bytes.
    static let transportBytes = 16 << 20

    @concurrent
    package func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next:
            @concurrent @Sendable (
                _ request: StreamingServerRequest<Input>, _ context: ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let messages = request.messages.map { message in
            if let message = message as? any Message {
                try Self.check(message.serializedBytes() as [UInt8])
            }
            return message
        }
        return try await next(
            StreamingServerRequest(
                metadata: request.metadata, messages: RPCAsyncSequence(wrapping: messages)),
            context)
    }

    private static func check(_ bytes: [UInt8]) throws {
        guard bytes.count <= maxBytes else {
            throw ManagerError(
                .resourceExhausted,
                "the request message has \(bytes.count) bytes: at most "
                    + "\(SizeText.format(maxBytes)) are taken")
        }
    }
}
