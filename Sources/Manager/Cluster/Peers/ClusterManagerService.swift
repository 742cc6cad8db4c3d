package import GRPCCore
package import ManagerAPI
import ManagerCore
import Spec

/// `virtufin.WebSocketManager` of an instance that shares its store: each call goes to the owner of
/// its connection, and a list is of all instances.
package struct ClusterManagerService: Virtufin_WebSocketManager.ServiceProtocol {
    private let inner: WebSocketManagerService
    private let owners: OwnerCalls
    private let reads: MemberReads
    private let ownerless: OwnerlessObjects

    init(
        inner: WebSocketManagerService, owners: OwnerCalls, reads: MemberReads,
        ownerless: OwnerlessObjects
    ) {
        self.inner = inner
        self.owners = owners
        self.reads = reads
        self.ownerless = ownerless
    }

    package func connect(
        request: ServerRequest<Virtufin_ConnectRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_ConnectResponse> {
        try await owners.callAnywhere(request, context) {
            try await inner.connect(request: $0, context: $1)
        }
    }

    package func list(
        request: ServerRequest<Virtufin_ListRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_ListResponse> {
        if reads.isAskedByPeer {
            return try await reads.answer {
                try await inner.list(request: request, context: context)
            }
        }
        let result = try await reads.all(request, context) {
            try await inner.list(request: $0, context: $1)
        }
        var connections: [String: (Virtufin_WebSocketConnection, isServed: Bool)] = [:]
        let count = reads.shardCount
        for part in result.parts {
            for connection in part.message.connections {
                let isServed = part.served.contains(Shards.shard(of: connection.id, among: count))
                if let present = connections[connection.id], present.isServed || !isServed {
                    continue
                }
                connections[connection.id] = (connection, isServed)
            }
        }
        for connection in try await unserved(request.message, reads.unserved(by: result)) {
            connections[connection.id] = connections[connection.id] ?? (connection, false)
        }
        var response = Virtufin_ListResponse()
        response.connections = connections.values.map(\.0).sorted { $0.id < $1.id }
        return ServerResponse(message: response)
    }

    private func unserved(
        _ request: Virtufin_ListRequest, _ why: [Int: NotOwned]
    ) async throws -> [Virtufin_WebSocketConnection] {
        var found: [Virtufin_WebSocketConnection] = []
        let names = try await ownerless.names(.connection, shards: Set(why.keys))
        let step = OwnerlessObjects.recordsPerRead
        for start in stride(from: 0, to: names.count, by: step) {
            let group = Array(names[start..<min(start + step, names.count)])
            for record in try await ownerless.connections(group) {
                let tags = record.desired.effectiveLabels
                guard request.filters.allSatisfy({ tags[$0.key] == $0.value }) else { continue }
                found.append(
                    Virtufin_WebSocketConnection(
                        .init(stored: record, .noOwner, now: ownerless.now()), instanceID: ""))
            }
        }
        return found
    }

    package func disconnect(
        request: ServerRequest<Virtufin_DisconnectRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_DisconnectResponse> {
        try await owners.call(about: request.message.id, request, context) {
            try await inner.disconnect(request: $0, context: $1)
        }
    }

    package func startPublish(
        request: ServerRequest<Virtufin_StartPublishRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_StartPublishResponse> {
        try await owners.call(about: request.message.id, request, context) {
            try await inner.startPublish(request: $0, context: $1)
        }
    }

    package func stopPublish(
        request: ServerRequest<Virtufin_StopPublishRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_StopPublishResponse> {
        try await owners.call(about: request.message.id, request, context) {
            try await inner.stopPublish(request: $0, context: $1)
        }
    }

    package func send(
        request: ServerRequest<Virtufin_SendRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_SendResponse> {
        try await owners.call(about: request.message.id, request, context) {
            try await inner.send(request: $0, context: $1)
        }
    }

    package func sendRaw(
        request: ServerRequest<Virtufin_SendRawRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_SendRawResponse> {
        try await owners.call(about: request.message.id, request, context) {
            try await inner.sendRaw(request: $0, context: $1)
        }
    }

    package func setTag(
        request: ServerRequest<Virtufin_SetTagRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_SetTagResponse> {
        try await owners.call(about: request.message.id, request, context) {
            try await inner.setTag(request: $0, context: $1)
        }
    }

    package func getTag(
        request: ServerRequest<Virtufin_GetTagRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_GetTagResponse> {
        let asked = request.message
        return try await owners.call(
            about: asked.id, request, context, isRead: true,
            unowned: {
                var response = Virtufin_GetTagResponse()
                response.value = try await storedTags(asked.id)[asked.key] ?? ""
                return response
            },
            here: { try await inner.getTag(request: $0, context: $1) })
    }

    package func setTags(
        request: ServerRequest<Virtufin_SetTagsRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_SetTagsResponse> {
        try await owners.call(about: request.message.id, request, context) {
            try await inner.setTags(request: $0, context: $1)
        }
    }

    package func getTags(
        request: ServerRequest<Virtufin_GetTagsRequest>, context: ServerContext
    ) async throws -> ServerResponse<Virtufin_GetTagsResponse> {
        let asked = request.message
        return try await owners.call(
            about: asked.id, request, context, isRead: true,
            unowned: {
                var response = Virtufin_GetTagsResponse()
                response.tags = try await storedTags(asked.id)
                return response
            },
            here: { try await inner.getTags(request: $0, context: $1) })
    }

    private func storedTags(_ name: String) async throws -> [String: String] {
        guard let record = try await ownerless.connections([name]).first else {
            throw ManagerError.connectionNotFound
        }
        return record.desired.effectiveLabels
    }
}
