import GRPCCore
import HTTPTypes
import Synchronization

/// Decides what a request is answered with. Knows nothing of sockets.
final class GatewayService: Sendable {
    let schema: ProtoSchema
    let ports: GatewayPorts
    let streams = OpenStreams()
    let rpc: RPCPort
    private let routes: RouteTable
    private let policy: HostPolicy
    private let openAPI: [UInt8]

    /// What a request needs before it can be answered.
    enum Prepared: Sendable {
        case answer(HTTPAnswer)
        /// The body, up to a limit; then the answer comes of it.
        case body(maxBytes: Int, @Sendable ([UInt8]) async -> HTTPAnswer)
    }

    init(ports: GatewayPorts, policy: HostPolicy) throws {
        schema = try .committed()
        routes = try RouteTable(schema)
        openAPI = OpenAPIDocument(schema: schema, routes: routes).value.bytes
        rpc = RPCPort(client: ports.client, calls: ports.calls)
        self.ports = ports
        self.policy = policy
    }

    /// - Parameters:
    ///   - request: The request line and header fields as they came.
    func prepare(_ request: HTTPRequest, _ caller: RequestHead.Caller) async -> Prepared {
        guard !streams.isEnding else { return .answer(ErrorBody.answer(.goingAway)) }
        do {
            let head = try self.head(request, caller)
            try check(head)
            let origin = head.fields[.origin].flatMap { policy.isAllowed(origin: $0) ? $0 : nil }
            if CrossOrigin.isPreflight(head) {
                return .answer(Self.allowing(origin, CrossOrigin.preflight()))
            }
            let prepared: Prepared
            do {
                // Its errors have no type of their own: the compiler's optimiser fails on an
                // asynchronous function that throws one typed (Swift 6.3.1).
                prepared = try await dispatch(head)
            } catch {
                prepared = .answer(ErrorBody.answer(RPCFailure(error)))
            }
            switch prepared {
            case .answer(let answer): return .answer(Self.allowing(origin, answer))
            case .body(let maxBytes, let next):
                return .body(maxBytes: maxBytes) { Self.allowing(origin, await next($0)) }
            }
        } catch {
            return .answer(ErrorBody.answer(error))
        }
    }

    private static func allowing(_ origin: String?, _ answer: HTTPAnswer) -> HTTPAnswer {
        guard let origin else { return answer }
        var answer = answer
        CrossOrigin.allow(origin, in: &answer)
        return answer
    }

    private func head(
        _ request: HTTPRequest, _ caller: RequestHead.Caller
    ) throws(RPCFailure) -> RequestHead {
        let text = request.path ?? ""
        guard text.utf8.count <= HTTPLimits.maxTargetBytes else {
            throw RPCFailure(
                .invalidArgument,
                "path and query have more than \(HTTPLimits.maxTargetBytes) bytes", status: 414)
        }
        let target: RequestTarget
        do {
            target = try RequestTarget(text)
        } catch {
            throw RPCFailure(.invalidArgument, "\(error)")
        }
        return RequestHead(
            method: request.method.rawValue, target: target, fields: request.headerFields,
            host: request.authority, caller: caller)
    }

    private func check(_ head: RequestHead) throws(RPCFailure) {
        guard head.fields[values: .host].isEmpty else {
            throw RPCFailure(.invalidArgument, "the header Host is there twice")
        }
        switch policy.refusal(host: head.host, origin: head.fields[.origin]) {
        case nil: return
        case .missingHost: throw RPCFailure(.invalidArgument, "the header Host is missing")
        case .host(let host):
            throw RPCFailure(
                .permissionDenied,
                "Host \(Quoted(host)) is no name of this server (see --allowed-origins)")
        case .origin(let origin):
            throw RPCFailure(
                .permissionDenied,
                "Origin \(Quoted(origin)) may not call this server (see --allowed-origins)")
        }
    }

    // MARK: Where a request goes

    private func dispatch(_ head: RequestHead) async throws -> Prepared {
        let segments = head.target.segments
        if let page = Page(segments) { return .answer(try await answer(page, head)) }
        if segments.count == 2, schema.services[segments[0]] != nil {
            return try await prepareRPC(head, service: segments[0], name: segments[1])
        }
        switch routes.match(method: head.method, segments: segments) {
        case .route(let route, let variables):
            return try await prepare(route, variables: variables, head)
        case .otherMethods(let methods): throw Self.wrongMethod(head.method, allowed: methods)
        case .none: throw RPCFailure(.notFound, "there is nothing at this path")
        }
    }

    static func wrongMethod(_ method: String, allowed: [String]) -> RPCFailure {
        var failure = RPCFailure(
            .unimplemented,
            "\(Quoted(method)) is not for this path: there is \(allowed.joined(separator: ", "))",
            status: 405)
        failure.allowed = allowed
        return failure
    }

    private func answer(_ page: Page, _ head: RequestHead) async throws -> HTTPAnswer {
        guard Page.methods.contains(head.method) else {
            throw Self.wrongMethod(head.method, allowed: Page.methods)
        }
        let isVerbose = head.target.query.contains { $0.name == "verbose" && $0.value != "false" }
        if let access = page.access(isVerbose: isVerbose) {
            _ = try await admit(head, access)
        }
        switch page {
        case .index: return PageContent.index(schema)
        case .live, .healthLive: return PageContent.liveness()
        case .ready, .healthz, .health:
            return PageContent.readiness(await ports.readiness(), isVerbose: isVerbose)
        case .metrics:
            return HTTPAnswer(
                status: 200, type: PageContent.metricsType, text: ports.metrics())
        case .openAPI: return HTTPAnswer(status: 200, type: HTTPAnswer.json, body: openAPI)
        }
    }

    /// - Returns: The metadata that tells the services who calls.
    func admit(_ head: RequestHead, _ method: String) async throws -> Metadata {
        switch await ports.authorize(head.facts(for: method)) {
        case .admitted(let metadata): return metadata
        case .unauthenticated(let sentence): throw RPCFailure(.unauthenticated, sentence)
        case .permissionDenied(let sentence): throw RPCFailure(.permissionDenied, sentence)
        }
    }
}

/// The streams that are being written, to be ended with the server.
final class OpenStreams: Sendable {
    private struct State {
        var isEnding = false
        var hasEnded = false
        var next = 0
        var streams: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// No new requests are answered.
    var isEnding: Bool { state.withLock { $0.isEnding } }

    func refuse() { state.withLock { $0.isEnding = true } }

    /// - Parameter end: Ends it with a last word to its reader.
    /// - Returns: What ``remove(_:)`` takes.
    func add(_ end: @escaping @Sendable () -> Void) -> Int {
        let (id, hasEnded) = state.withLock { state in
            state.next += 1
            state.streams[state.next] = end
            return (state.next, state.hasEnded)
        }
        // It began while the others were being ended.
        if hasEnded { end() }
        return id
    }

    func remove(_ id: Int) { state.withLock { _ = $0.streams.removeValue(forKey: id) } }

    func endAll() {
        let ends = state.withLock { state in
            state.hasEnded = true
            return Array(state.streams.values)
        }
        for end in ends { end() }
    }
}
