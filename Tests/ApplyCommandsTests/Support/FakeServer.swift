import ApplyCommands
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import ManagerAPI
import SwiftProtobuf
import Synchronization

typealias Messages<Message> = RPCAsyncSequence<Message, any Error>

/// An orchestrator that answers as the test says and keeps what it was asked.
final class FakeOrchestrator: Wsm_V1_Orchestrator.SimpleServiceProtocol {
    typealias Sink<Message> = @Sendable (Message) async throws -> Void

    /// The answers; what is not set is UNIMPLEMENTED.
    struct Script: Sendable {
        var info: @Sendable () throws -> Wsm_V1_ServerInfo = { Wsm_V1_ServerInfo() }
        var apply: (@Sendable (Applied, Sink<Wsm_V1_ApplyResponse>) async throws -> Void)?
        var plan: (@Sendable (Applied, Sink<Wsm_V1_ApplyResponse>) async throws -> Void)?
        var get: (@Sendable (Wsm_V1_GetRequest) throws -> Wsm_V1_Object)?
        var list: (@Sendable (Wsm_V1_ListRequest) throws -> Wsm_V1_ListResponse)?
        var watch:
            (@Sendable (Wsm_V1_WatchRequest, Sink<Wsm_V1_WatchResponse>) async throws -> Void)?
        var delete: (@Sendable (Wsm_V1_DeleteRequest) throws -> Wsm_V1_DeleteResponse)?
        var events:
            (@Sendable (Wsm_V1_EventsRequest, Sink<Wsm_V1_EventsResponse>) async throws -> Void)?
        var history: (@Sendable (Wsm_V1_GetHistoryRequest) throws -> Wsm_V1_GetHistoryResponse)?
        var rollback:
            (@Sendable (Wsm_V1_RollbackRequest, Sink<Wsm_V1_ApplyResponse>) async throws -> Void)?
        var cluster: (@Sendable () throws -> Wsm_V1_Cluster)?
        var drain: (@Sendable (Wsm_V1_DrainRequest) throws -> Wsm_V1_DrainResponse)?
        var status: (@Sendable () throws -> Wsm_V1_ServerStatus)?
        var subscribe:
            (
                @Sendable (Wsm_V1_SubscribeRequest, Sink<Wsm_V1_SubscribeResponse>) async throws ->
                    Void
            )?
    }

    /// One Apply or Plan as it arrived.
    struct Applied: Sendable {
        var header = Wsm_V1_ApplyHeader()
        var documents: [Wsm_V1_ManifestDocument] = []
        var messages = 0
        /// Encoded bytes of the largest message.
        var largestMessage = 0
    }

    private let script: Script
    private let log = Mutex<[any Sendable]>([])

    init(_ script: Script) {
        self.script = script
    }

    /// The requests of one type, in order.
    func requests<Request: Sendable>(_ type: Request.Type) -> [Request] {
        log.withLock { $0.compactMap { $0 as? Request } }
    }

    private func note(_ request: some Sendable) {
        log.withLock { $0.append(request) }
    }

    private func read(_ request: Messages<Wsm_V1_ApplyRequest>) async throws -> Applied {
        var applied = Applied()
        for try await message in request {
            applied.messages += 1
            let bytes: [UInt8] = try message.serializedBytes()
            applied.largestMessage = max(applied.largestMessage, bytes.count)
            switch message.part {
            case .header(let header): applied.header = header
            case .chunk(let chunk): applied.documents += chunk.documents
            case nil: break
            }
        }
        note(applied)
        return applied
    }

    private func scripted<Answer>(_ answer: Answer?) throws -> Answer {
        guard let answer else { throw RPCError(code: .unimplemented, message: "not scripted") }
        return answer
    }

    func apply(
        request: Messages<Wsm_V1_ApplyRequest>, response: RPCWriter<Wsm_V1_ApplyResponse>,
        context: ServerContext
    ) async throws {
        try await scripted(script.apply)(try await read(request)) { try await response.write($0) }
    }

    func plan(
        request: Messages<Wsm_V1_ApplyRequest>, response: RPCWriter<Wsm_V1_ApplyResponse>,
        context: ServerContext
    ) async throws {
        try await scripted(script.plan)(try await read(request)) { try await response.write($0) }
    }

    func get(request: Wsm_V1_GetRequest, context: ServerContext) async throws -> Wsm_V1_Object {
        note(request)
        return try scripted(script.get)(request)
    }

    func list(
        request: Wsm_V1_ListRequest, context: ServerContext
    ) async throws -> Wsm_V1_ListResponse {
        note(request)
        return try scripted(script.list)(request)
    }

    func watch(
        request: Wsm_V1_WatchRequest, response: RPCWriter<Wsm_V1_WatchResponse>,
        context: ServerContext
    ) async throws {
        note(request)
        try await scripted(script.watch)(request) { try await response.write($0) }
    }

    func delete(
        request: Wsm_V1_DeleteRequest, context: ServerContext
    ) async throws -> Wsm_V1_DeleteResponse {
        note(request)
        return try scripted(script.delete)(request)
    }

    func events(
        request: Wsm_V1_EventsRequest, response: RPCWriter<Wsm_V1_EventsResponse>,
        context: ServerContext
    ) async throws {
        note(request)
        try await scripted(script.events)(request) { try await response.write($0) }
    }

    func getHistory(
        request: Wsm_V1_GetHistoryRequest, context: ServerContext
    ) async throws -> Wsm_V1_GetHistoryResponse {
        note(request)
        return try scripted(script.history)(request)
    }

    func rollback(
        request: Wsm_V1_RollbackRequest, response: RPCWriter<Wsm_V1_ApplyResponse>,
        context: ServerContext
    ) async throws {
        note(request)
        try await scripted(script.rollback)(request) { try await response.write($0) }
    }

    func getServerStatus(
        request: Wsm_V1_GetServerStatusRequest, context: ServerContext
    ) async throws -> Wsm_V1_ServerStatus {
        note(request)
        return try scripted(script.status)()
    }

    func subscribe(
        request: Wsm_V1_SubscribeRequest, response: RPCWriter<Wsm_V1_SubscribeResponse>,
        context: ServerContext
    ) async throws {
        note(request)
        try await scripted(script.subscribe)(request) { try await response.write($0) }
    }

    func getCluster(
        request: Wsm_V1_GetClusterRequest, context: ServerContext
    ) async throws -> Wsm_V1_Cluster {
        note(request)
        return try scripted(script.cluster)()
    }

    func drain(
        request: Wsm_V1_DrainRequest, context: ServerContext
    ) async throws -> Wsm_V1_DrainResponse {
        note(request)
        return try scripted(script.drain)(request)
    }

    func callOffDrain(
        request: Wsm_V1_CallOffDrainRequest, context: ServerContext
    ) async throws -> Wsm_V1_CallOffDrainResponse {
        note(request)
        return Wsm_V1_CallOffDrainResponse()
    }

    func cordon(
        request: Wsm_V1_CordonRequest, context: ServerContext
    ) async throws -> Wsm_V1_CordonResponse {
        note(request)
        return Wsm_V1_CordonResponse()
    }

    func getServerInfo(
        request: Wsm_V1_GetServerInfoRequest, context: ServerContext
    ) async throws -> Wsm_V1_ServerInfo {
        try script.info()
    }

    /// Serves on a free port of the loopback while the body runs; the world is told the address.
    func serve<Result: Sendable>(
        _ world: World = World(), with others: [any RegistrableRPCService] = [],
        _ body: (World) async throws -> Result
    ) async throws -> Result {
        let transport = HTTP2ServerTransport.Posix(
            address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext)
        return try await withGRPCServer(
            transport: transport, services: [self] + others
        ) { server in
            let address = try await transport.listeningAddress
            var world = world
            world.environment["WSM_SERVER"] = "127.0.0.1:\(address.ipv4?.port ?? 0)"
            let result = try await body(world)
            server.beginGracefulShutdown()
            return result
        }
    }
}

/// Runs one command against a scripted server.
func run(
    _ arguments: String..., world: World = World(), script: FakeOrchestrator.Script
) async throws -> Run {
    try await FakeOrchestrator(script).serve(world) { await $0.run(arguments) }
}

/// Waits until the caller leaves, as a stream with nothing more to say does.
func waitForCancellation() async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    await withRPCCancellationHandler {
        for await _ in stream {}
    } onCancelRPC: {
        continuation.finish()
    }
}
