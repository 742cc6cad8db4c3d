import GRPCCore
import GRPCInProcessTransport

/// Makes calls to the services of this process, with messages as bytes.
struct RPCPort: Sendable {
    let client: GRPCClient<InProcessTransport.Client>
    let calls: GatewayCalls

    /// What the in-process transport says once one of its ends is shut down.
    private static let closed = [
        "The client transport is closed.", "The server transport is closed.",
    ]

    /// What goes with a call.
    struct Context: Sendable {
        /// Of the caller that was let in; nothing a network client said itself.
        var metadata = Metadata()
        /// What the caller is willing to wait.
        var timeout: Duration?
    }

    /// - Throws: ``RPCFailure``.
    func unary(
        _ method: MethodSchema, _ message: [UInt8], _ context: Context
    ) async throws -> [UInt8] {
        let answers = Collected()
        try await stream(method, [message], context) { await answers.add($0) }
        guard let answer = await answers.messages.first else {
            throw RPCFailure(.internalError, "the service gave no answer")
        }
        return answer
    }

    private actor Collected {
        var messages: [[UInt8]] = []

        func add(_ message: [UInt8]) { messages.append(message) }
    }

    /// Runs a call to its end.
    ///
    /// - Parameter onMessage: Awaited before the service may send many more.
    /// - Throws: ``RPCFailure``.
    func stream(
        _ method: MethodSchema, _ messages: [[UInt8]], _ context: Context,
        onMessage: @Sendable @escaping ([UInt8]) async throws -> Void
    ) async throws {
        let (key, call) = calls.begin()
        defer { calls.end(key) }
        var metadata = context.metadata
        metadata.replaceOrAddString(key, forKey: GatewayCalls.metadataKey)
        var options = CallOptions.defaults
        options.timeout = context.timeout
        let request = StreamingClientRequest<[UInt8]>(metadata: metadata) { writer in
            for message in messages { try await writer.write(message) }
        }
        let sent = request
        do {
            try await withTaskCancellationHandler {
                try await client.bidirectionalStreaming(
                    request: sent,
                    descriptor: MethodDescriptor(
                        fullyQualifiedService: method.service, method: method.name),
                    serializer: Bare(), deserializer: Bare(), options: options
                ) { response in
                    for try await message in response.messages {
                        try await onMessage(message)
                        call.arrived()
                    }
                }
            } onCancel: {
                call.cancel()
            }
        } catch let error as RPCError
            where error.code == .failedPrecondition && Self.closed.contains(error.message)
        {
            throw RPCFailure.goingAway
        } catch {
            // The transport has no word of its own for this.
            if Task.isCancelled { throw RPCFailure.callerLeft }
            throw RPCFailure(error)
        }
    }
}

/// Messages stay the bytes they are.
private struct Bare: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}
