package import GRPCCore
import GRPCProtobuf
import ManagerAPI

/// A message of an API that was written by hand: its bytes in the encoding of protobuf.
struct SerializedMessage: Sendable {
    var bytes: [UInt8]
}

/// Passes ``SerializedMessage`` on as it is.
private struct SerializedMessageSerializer: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: SerializedMessage) -> Bytes {
        Bytes(message.bytes)
    }
}

/// Serves `Subscribe` of an instance that is alone with responses written as bytes. Registered after
/// the ``OrchestratorService``, in the place of its generated handler.
package struct TopicSubscriptions: RegistrableRPCService {
    let orchestrator: OrchestratorService
    let loops: CallerLoops

    package func registerMethods<Transport: ServerTransport>(
        with router: inout RPCRouter<Transport>
    ) {
        router.registerHandler(
            forMethod: Wsm_V1_Orchestrator.Method.Subscribe.descriptor,
            deserializer: ProtobufDeserializer<Wsm_V1_SubscribeRequest>(),
            serializer: SerializedMessageSerializer()
        ) { [orchestrator, loops] request, context in
            let asked = try await ServerRequest(stream: request).message
            return try orchestrator.stream(
                asked, context, on: loops.executor(of: context.remotePeer)
            ) { SerializedMessage(bytes: $0) }
        }
    }
}
