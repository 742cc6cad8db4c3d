package import GRPCCore
package import ManagerAPI
import ManagerCore
import Spec

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `virtufin.WebSocketManager`: the wire around ``ConnectionOperations``.
package struct WebSocketManagerService: Virtufin_WebSocketManager.SimpleServiceProtocol {
    private let operations: ConnectionOperations
    private let instanceID: String

    package init(operations: ConnectionOperations, instanceID: String) {
        self.operations = operations
        self.instanceID = instanceID
    }

    package func connect(
        request: Virtufin_ConnectRequest, context: ServerContext
    ) async throws -> Virtufin_ConnectResponse {
        let view = try await operations.endingWithCaller(context) {
            try await operations.connect(
                url: request.url, autoReconnect: request.autoReconnect, tags: request.tags)
        }
        var response = Virtufin_ConnectResponse()
        response.id = view.record.desired.name
        response.status = view.status.phase.statusWord.rawValue
        return response
    }

    package func list(
        request: Virtufin_ListRequest, context: ServerContext
    ) async throws -> Virtufin_ListResponse {
        var response = Virtufin_ListResponse()
        for name in operations.store.desiredNames().sorted() {
            guard let record = operations.store.record(name), !record.desired.isProvisional else {
                continue
            }
            let tags = record.desired.effectiveLabels
            guard request.filters.allSatisfy({ tags[$0.key] == $0.value }) else { continue }
            response.connections.append(
                Virtufin_WebSocketConnection(operations.view(record), instanceID: instanceID))
        }
        return response
    }

    package func disconnect(
        request: Virtufin_DisconnectRequest, context: ServerContext
    ) async throws -> Virtufin_DisconnectResponse {
        try await operations.disconnect(request.id)
        return Virtufin_DisconnectResponse()
    }

    package func startPublish(
        request: Virtufin_StartPublishRequest, context: ServerContext
    ) async throws -> Virtufin_StartPublishResponse {
        try await operations.startPublish(request.id, topic: request.topic)
        return Virtufin_StartPublishResponse()
    }

    package func stopPublish(
        request: Virtufin_StopPublishRequest, context: ServerContext
    ) async throws -> Virtufin_StopPublishResponse {
        try await operations.stopPublish(request.id)
        return Virtufin_StopPublishResponse()
    }

    package func send(
        request: Virtufin_SendRequest, context: ServerContext
    ) async throws -> Virtufin_SendResponse {
        let reply = try await operations.endingWithCaller(context) {
            try await operations.request(
                request.id, [UInt8](request.message), contentType: request.contentType,
                timeoutMilliseconds: request.timeoutMs)
        }
        var response = Virtufin_SendResponse()
        response.response = Data(reply)
        return response
    }

    package func sendRaw(
        request: Virtufin_SendRawRequest, context: ServerContext
    ) async throws -> Virtufin_SendRawResponse {
        try await operations.send(
            request.id, [UInt8](request.message), contentType: request.contentType)
        return Virtufin_SendRawResponse()
    }

    package func setTag(
        request: Virtufin_SetTagRequest, context: ServerContext
    ) async throws -> Virtufin_SetTagResponse {
        try await operations.setTag(request.id, key: request.key, value: request.value)
        return Virtufin_SetTagResponse()
    }

    package func getTag(
        request: Virtufin_GetTagRequest, context: ServerContext
    ) async throws -> Virtufin_GetTagResponse {
        var response = Virtufin_GetTagResponse()
        response.value = try await operations.tags(request.id)[request.key] ?? ""
        return response
    }

    package func setTags(
        request: Virtufin_SetTagsRequest, context: ServerContext
    ) async throws -> Virtufin_SetTagsResponse {
        try await operations.setTags(request.id, request.tags)
        return Virtufin_SetTagsResponse()
    }

    package func getTags(
        request: Virtufin_GetTagsRequest, context: ServerContext
    ) async throws -> Virtufin_GetTagsResponse {
        var response = Virtufin_GetTagsResponse()
        response.tags = try await operations.tags(request.id)
        return response
    }
}

extension Virtufin_WebSocketConnection {
    init(_ view: ConnectionOperations.View, instanceID: String) {
        self.init()
        let desired = view.record.desired
        let traffic = view.status.observed.traffic
        id = desired.name
        url = desired.spec.url
        status = view.status.phase.statusWord.rawValue
        topic = desired.effectiveTopic ?? ""
        self.instanceID = instanceID
        if traffic.receivedMessages > 0 {
            contentType = traffic.lastWasText ? "text/plain" : "application/octet-stream"
        }
        tags = desired.effectiveLabels
    }
}
