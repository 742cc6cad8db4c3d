package import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Synchronization

/// Admits or refuses each call, tells the handlers who makes it (``Caller/current``), and writes
/// the audit line of a change. The first interceptor of a server.
package struct AccessInterceptor: ServerInterceptor {
    /// Where the caller is known from.
    package enum Source: Sendable {
        /// The network: token and certificate. Private metadata that is sent all the same is
        /// dropped.
        case network(AccessControl)
        /// The gateway of this process, which has admitted the caller and passes it on as
        /// ``Caller/metadata``. The role is checked again, against the method that is really called.
        case gateway
    }

    private let source: Source
    private let audit: AuditLog

    package init(_ source: Source, audit: AuditLog) {
        self.source = source
        self.audit = audit
    }

    @concurrent
    package func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingServerRequest<Input>, context: ServerContext,
        next:
            @concurrent @Sendable (
                _ request: StreamingServerRequest<Input>, _ context: ServerContext
            ) async throws -> StreamingServerResponse<Output>
    ) async throws -> StreamingServerResponse<Output> {
        let method = context.descriptor.fullyQualifiedMethod
        let caller = try caller(request.metadata, context, method)
        var request = request
        request.metadata.removeAllValues(forKey: Caller.metadataKey)
        guard MethodRoles.isAudited(method, by: caller) else {
            let response = try await Caller.$current.withValue(caller) {
                try await next(request, context)
            }
            return Self.wrap(response) { producer, writer in
                try await Caller.$current.withValue(caller) { try await producer(writer) }
            }
        }
        let record = AuditRecord(method: method, caller: caller, log: audit)
        request.messages = RPCAsyncSequence(
            wrapping: request.messages.map { message in
                record.note(message)
                return message
            })
        let observed = request
        let response: StreamingServerResponse<Output>
        do {
            response = try await Caller.$current.withValue(caller) {
                try await next(observed, context)
            }
        } catch {
            record.end(error)
            throw error
        }
        if case .failure(let error) = response.accepted { record.end(error) }
        return Self.wrap(response) { producer, writer in
            do {
                let trailer = try await Caller.$current.withValue(caller) {
                    try await producer(
                        RPCWriter(wrapping: ObservingWriter(base: writer, record: record)))
                }
                record.end(nil)
                return trailer
            } catch {
                record.end(error)
                throw error
            }
        }
    }

    private typealias Producer<Message> =
        @Sendable (RPCWriter<Message>) async throws -> Metadata

    private static func wrap<Message>(
        _ response: StreamingServerResponse<Message>,
        _ body:
            @escaping @Sendable (
                @Sendable (RPCWriter<Message>) async throws -> Metadata, RPCWriter<Message>
            ) async throws -> Metadata
    ) -> StreamingServerResponse<Message> {
        guard case .success(var contents) = response.accepted else { return response }
        let producer = contents.producer
        contents.producer = { writer in try await body(producer, writer) }
        var wrapped = response
        wrapped.accepted = .success(contents)
        return wrapped
    }

    private func caller(
        _ metadata: Metadata, _ context: ServerContext, _ method: String
    ) throws -> Caller {
        switch source {
        case .network(let control):
            let authorizations = Array(metadata[stringValues: "authorization"])
            guard authorizations.count <= 1 else {
                throw RPCError(
                    code: .unauthenticated, message: "the authorization header was sent twice")
            }
            let transport =
                context.transportSpecific as? HTTP2ServerTransport.Posix.Context
            let decision = control.admit(
                AccessRequest(
                    method: method, authorization: authorizations.first,
                    peerCertificate: transport?.peerCertificate,
                    address: PeerAddress.text(context.remotePeer)))
            switch decision {
            case .admitted(let caller): return caller
            case .unauthenticated(let sentence):
                throw RPCError(code: .unauthenticated, message: sentence)
            case .permissionDenied(let sentence):
                throw RPCError(code: .permissionDenied, message: sentence)
            }
        case .gateway:
            guard let caller = Caller(metadata: metadata) else {
                throw RPCError(
                    code: .unauthenticated, message: "the gateway has not said who calls")
            }
            if case .role(let needed) = MethodRoles.requirement(of: method), caller.role < needed {
                throw RPCError(
                    code: .permissionDenied,
                    message: "\(caller.name) has the role \(caller.role.rawValue): \(method) "
                        + "needs \(needed.rawValue)")
            }
            return caller
        }
    }
}

/// gRPC's description of a peer.
enum PeerAddress {
    /// `ipv4:127.0.0.1:80` and `ipv6:[::1]:80` without the kind.
    static func text(_ peer: String) -> String {
        for kind in ["ipv4:", "ipv6:"] where peer.hasPrefix(kind) {
            return String(peer.dropFirst(kind.count))
        }
        return peer
    }
}

/// What the audit line of one call will say.
private final class AuditRecord: Sendable {
    /// Objects named in one line; the others are counted.
    private static let mostObjects = 8

    private struct State {
        var objects: [String] = []
        var more = 0
        var hasEnded = false
    }

    private let method: String
    private let caller: Caller
    private let log: AuditLog
    private let state = Mutex(State())

    init(method: String, caller: Caller, log: AuditLog) {
        self.method = method
        self.caller = caller
        self.log = log
    }

    func note(_ message: Any) {
        guard let objects = (message as? any AuditedMessage)?.auditedObjects, !objects.isEmpty
        else { return }
        state.withLock { state in
            for object in objects where !state.objects.contains(object) {
                if state.objects.count < Self.mostObjects {
                    state.objects.append(object)
                } else {
                    state.more += 1
                }
            }
        }
    }

    /// Writes the line, once.
    func end(_ error: (any Error)?) {
        let ended: State? = state.withLock { state in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            return state
        }
        guard let ended else { return }
        let more = ended.more > 0 ? ["+\(ended.more)"] : []
        log.changed(
            method, objects: ended.objects + more, by: caller,
            outcome: error.map(AuditLog.outcome) ?? "OK")
    }
}

/// Passes on what is written and looks at it on the way.
private struct ObservingWriter<Element: Sendable>: RPCWriterProtocol {
    let base: RPCWriter<Element>
    let record: AuditRecord

    func write(_ element: Element) async throws {
        record.note(element)
        try await base.write(element)
    }

    func write(contentsOf elements: some Sequence<Element>) async throws {
        for element in elements { try await write(element) }
    }
}
