import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf
import SwiftProtobuf
import Synchronization
import Testing

@testable import Dapr

/// A sidecar in the test process: answers as the test says, and remembers what it was asked.
final class FakeSidecar: Dapr_Proto_Runtime_V1_Dapr.ServiceProtocol {
    typealias Metadata = GRPCCore.Metadata
    typealias API = Dapr_Proto_Runtime_V1_Dapr

    struct Answers: Sendable {
        var state:
            @Sendable (Dapr_Proto_Runtime_V1_GetStateRequest) async throws ->
                Dapr_Proto_Runtime_V1_GetStateResponse = { _ in .init() }
        var bulkState = Dapr_Proto_Runtime_V1_GetBulkStateResponse()
        var save: (any Error)?
        var publish: @Sendable (Dapr_Proto_Runtime_V1_PublishEventRequest) async throws -> Void = {
            _ in
        }
        var knowsStableBulk = true
        var knowsAlphaBulk = true
        var failedEntries: [String: String] = [:]
        var metadata = Dapr_Proto_Runtime_V1_GetMetadataResponse()
    }

    private struct State {
        var answers: Answers
        var calls: [String] = []
        var tokens: [String?] = []
        var published: [Dapr_Proto_Runtime_V1_PublishEventRequest] = []
    }

    private let state: Mutex<State>

    init(_ answers: Answers = Answers()) {
        state = Mutex(State(answers: answers))
    }

    var answers: Answers {
        get { state.withLock { $0.answers } }
        set { state.withLock { $0.answers = newValue } }
    }

    /// Names of the calls, in order.
    var calls: [String] { state.withLock { $0.calls } }
    var tokens: [String?] { state.withLock { $0.tokens } }
    /// Requests of PublishEvent, in order.
    var published: [Dapr_Proto_Runtime_V1_PublishEventRequest] {
        state.withLock { $0.published }
    }

    private func note<M>(_ name: String, _ request: ServerRequest<M>) {
        let token = request.metadata[stringValues: "dapr-api-token"].first { _ in true }
        state.withLock { state in
            state.calls.append(name)
            state.tokens.append(token)
        }
    }

    /// Serves on a free or the given port of this machine while `body` runs.
    ///
    /// - Parameter maxStreams: Calls of one connection at one time.
    func serving<Result: Sendable>(
        port: Int = 0, maxStreams: Int? = nil,
        security: HTTP2ServerTransport.Posix.TransportSecurity = .plaintext,
        _ body: (Int) async throws -> Result
    ) async throws -> Result {
        let server = GRPCServer(
            transport: .http2NIOPosix(
                address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: security,
                config: .defaults { $0.http2.maxConcurrentStreams = maxStreams }),
            services: [self])
        let serving = Task { try await server.serve() }
        let address = try #require(try await server.listeningAddress?.ipv4)
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(address.port)) } catch { result = .failure(error) }
        serving.cancel()
        _ = await serving.result
        return try result.get()
    }

    static func client(port: Int, token: String? = nil) throws -> DaprClient {
        try DaprClient(
            DaprConfiguration(
                environment: DaprEnvironment(
                    grpc: .loopback(port: port), http: .loopback(port: 1), apiToken: token)))
    }

    /// A client of this sidecar, closed at the end.
    func withClient<Result: Sendable>(
        maxStreams: Int? = nil, _ body: (DaprClient) async throws -> Result
    ) async throws -> Result {
        try await serving(maxStreams: maxStreams) { port in
            let client = try Self.client(port: port)
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body(client)) } catch { result = .failure(error) }
            await client.close()
            return try result.get()
        }
    }

    func getState(
        request: ServerRequest<Dapr_Proto_Runtime_V1_GetStateRequest>, context: ServerContext
    ) async throws -> ServerResponse<Dapr_Proto_Runtime_V1_GetStateResponse> {
        note("GetState", request)
        return ServerResponse(message: try await answers.state(request.message))
    }

    func getBulkState(
        request: ServerRequest<Dapr_Proto_Runtime_V1_GetBulkStateRequest>, context: ServerContext
    ) async throws -> ServerResponse<Dapr_Proto_Runtime_V1_GetBulkStateResponse> {
        note("GetBulkState", request)
        return ServerResponse(message: answers.bulkState)
    }

    func saveState(
        request: ServerRequest<Dapr_Proto_Runtime_V1_SaveStateRequest>, context: ServerContext
    ) async throws -> ServerResponse<API.Method.SaveState.Output> {
        note("SaveState", request)
        if let error = answers.save { throw error }
        return ServerResponse(message: .init())
    }

    func deleteState(
        request: ServerRequest<Dapr_Proto_Runtime_V1_DeleteStateRequest>, context: ServerContext
    ) async throws -> ServerResponse<API.Method.DeleteState.Output> {
        note("DeleteState", request)
        return ServerResponse(message: .init())
    }

    func publishEvent(
        request: ServerRequest<Dapr_Proto_Runtime_V1_PublishEventRequest>, context: ServerContext
    ) async throws -> ServerResponse<API.Method.PublishEvent.Output> {
        note("PublishEvent", request)
        state.withLock { $0.published.append(request.message) }
        try await answers.publish(request.message)
        return ServerResponse(message: .init())
    }

    func bulkPublishEvent(
        request: ServerRequest<Dapr_Proto_Runtime_V1_BulkPublishRequest>, context: ServerContext
    ) async throws -> ServerResponse<Dapr_Proto_Runtime_V1_BulkPublishResponse> {
        note("BulkPublishEvent", request)
        return try bulkAnswer(answers.knowsStableBulk)
    }

    func bulkPublishEventAlpha1(
        request: ServerRequest<Dapr_Proto_Runtime_V1_BulkPublishRequest>, context: ServerContext
    ) async throws -> ServerResponse<Dapr_Proto_Runtime_V1_BulkPublishResponse> {
        note("BulkPublishEventAlpha1", request)
        return try bulkAnswer(answers.knowsAlphaBulk)
    }

    private func bulkAnswer(
        _ isKnown: Bool
    ) throws -> ServerResponse<Dapr_Proto_Runtime_V1_BulkPublishResponse> {
        guard isKnown else { throw RPCError(code: .unimplemented, message: "unknown method") }
        var answer = Dapr_Proto_Runtime_V1_BulkPublishResponse()
        answer.failedEntries = answers.failedEntries.map { id, error in
            .with { entry in
                entry.entryID = id
                entry.error = error
            }
        }
        return ServerResponse(message: answer)
    }

    func getSecret(
        request: ServerRequest<Dapr_Proto_Runtime_V1_GetSecretRequest>, context: ServerContext
    ) async throws -> ServerResponse<Dapr_Proto_Runtime_V1_GetSecretResponse> {
        note("GetSecret", request)
        return ServerResponse(message: .with { $0.data = [request.message.key: "secret"] })
    }

    func getMetadata(
        request: ServerRequest<Dapr_Proto_Runtime_V1_GetMetadataRequest>, context: ServerContext
    ) async throws -> ServerResponse<Dapr_Proto_Runtime_V1_GetMetadataResponse> {
        note("GetMetadata", request)
        return ServerResponse(message: answers.metadata)
    }
}
