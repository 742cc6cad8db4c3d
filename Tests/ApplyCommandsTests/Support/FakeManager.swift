import GRPCCore
import ManagerAPI
import Synchronization

/// A manager that answers Send and SendRaw and knows nothing else.
final class FakeManager: Virtufin_WebSocketManager.SimpleServiceProtocol {
    private let answer: @Sendable (Virtufin_SendRequest) throws -> [UInt8]
    private let log = Mutex<(sent: [Virtufin_SendRequest], raw: [Virtufin_SendRawRequest])>(
        ([], []))

    init(_ answer: @escaping @Sendable (Virtufin_SendRequest) throws -> [UInt8] = { _ in [] }) {
        self.answer = answer
    }

    var sent: [Virtufin_SendRequest] { log.withLock { $0.sent } }
    var raw: [Virtufin_SendRawRequest] { log.withLock { $0.raw } }

    func send(
        request: Virtufin_SendRequest, context: ServerContext
    ) async throws -> Virtufin_SendResponse {
        log.withLock { $0.sent.append(request) }
        var response = Virtufin_SendResponse()
        response.response = .init(try answer(request))
        return response
    }

    func sendRaw(
        request: Virtufin_SendRawRequest, context: ServerContext
    ) async throws -> Virtufin_SendRawResponse {
        log.withLock { $0.raw.append(request) }
        return Virtufin_SendRawResponse()
    }

    private var unknown: RPCError { RPCError(code: .unimplemented, message: "not scripted") }

    func connect(
        request: Virtufin_ConnectRequest, context: ServerContext
    ) async throws -> Virtufin_ConnectResponse { throw unknown }

    func list(
        request: Virtufin_ListRequest, context: ServerContext
    ) async throws -> Virtufin_ListResponse { throw unknown }

    func disconnect(
        request: Virtufin_DisconnectRequest, context: ServerContext
    ) async throws -> Virtufin_DisconnectResponse { throw unknown }

    func startPublish(
        request: Virtufin_StartPublishRequest, context: ServerContext
    ) async throws -> Virtufin_StartPublishResponse { throw unknown }

    func stopPublish(
        request: Virtufin_StopPublishRequest, context: ServerContext
    ) async throws -> Virtufin_StopPublishResponse { throw unknown }

    func setTag(
        request: Virtufin_SetTagRequest, context: ServerContext
    ) async throws -> Virtufin_SetTagResponse { throw unknown }

    func getTag(
        request: Virtufin_GetTagRequest, context: ServerContext
    ) async throws -> Virtufin_GetTagResponse { throw unknown }

    func setTags(
        request: Virtufin_SetTagsRequest, context: ServerContext
    ) async throws -> Virtufin_SetTagsResponse { throw unknown }

    func getTags(
        request: Virtufin_GetTagsRequest, context: ServerContext
    ) async throws -> Virtufin_GetTagsResponse { throw unknown }
}
