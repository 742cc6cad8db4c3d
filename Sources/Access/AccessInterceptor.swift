package import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Synchronization

/// Admits or refuses each call, tells the handlers who makes it (``Caller/current``), and writes
/// the audit line of a change. The first interceptor of a server.
package struct AccessInterceptor: ServerInterceptor {
    /// Where the caller is known from.
    package enum Source: Sendable {
        /// The network: token and certificate. Private metadata that is sent all the same is
        /// dropped, unless its sender has proven to be another instance of the cluster.
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
        let origin = try origin(of: request.metadata, context, method)
        var request = request
        Hop.strip(&request.metadata)
        guard MethodRoles.isAudited(method, by: origin.caller) else {
            let response = try await origin.serving { try await next(request, context) }
            return Self.wrap(response) { producer, writer in
                try await origin.serving { try await producer(writer) }
            }
        }
        let record = AuditRecord(method: method, origin: origin, log: audit)
        request.messages = RPCAsyncSequence(
            wrapping: request.messages.map { message in
                record.note(message)
                return message
            })
        let observed = request
        let response: StreamingServerResponse<Output>
        do {
            response = try await origin.serving { try await next(observed, context) }
        } catch {
            record.end(error)
            throw error
        }
        if case .failure(let error) = response.accepted { record.end(error) }
        return Self.wrap(response) { producer, writer in
            do {
                let trailer = try await origin.serving {
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

    private func origin(
        of metadata: Metadata, _ context: ServerContext, _ method: String
    ) throws -> CallOrigin {
        switch source {
        case .network(let control):
            let authorizations = Array(metadata[stringValues: "authorization"])
            guard authorizations.count <= 1 else {
                throw RPCError(
                    code: .unauthenticated, message: "the authorization header was sent twice")
            }
            let address = PeerAddress.text(context.remotePeer)
            if control.isPeer(authorization: authorizations.first, address: address),
                let origin = try peerOrigin(of: metadata, at: address, method)
            {
                return origin
            }
            let transport =
                context.transportSpecific as? HTTP2ServerTransport.Posix.Context
            let decision = control.admit(
                AccessRequest(
                    method: method, authorization: authorizations.first,
                    peerCertificate: transport?.peerCertificate, address: address))
            switch decision {
            case .admitted(let caller): return CallOrigin(caller: caller)
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
            try check(caller, may: method)
            return CallOrigin(caller: caller)
        }
    }

    /// A call by another instance: for itself, or for a client, whose role is checked once more.
    ///
    /// - Returns: `nil` for a call that does not say it is one, which is then anybody's.
    private func peerOrigin(
        of metadata: Metadata, at address: String, _ method: String
    ) throws -> CallOrigin? {
        if MethodRoles.requirement(of: method) == .peer {
            return CallOrigin(caller: .peer(at: address))
        }
        guard metadata[Hop.metadataKey].contains(where: { _ in true }) else { return nil }
        guard let hop = Hop(metadata: metadata), let caller = Caller(metadata: metadata) else {
            throw RPCError(
                code: .unauthenticated,
                message: "the other instance has not said for whom it calls: is it of this version?"
            )
        }
        try check(caller, may: method)
        return CallOrigin(caller: caller, hop: hop, via: address)
    }

    private func check(_ caller: Caller, may method: String) throws {
        switch MethodRoles.requirement(of: method) {
        case .nobody: return
        case .role(let needed) where caller.role >= needed: return
        case .role(let needed):
            throw RPCError(
                code: .permissionDenied,
                message: "\(caller.name) has the role \(caller.role.rawValue): \(method) needs "
                    + "\(needed.rawValue)")
        case .peer:
            throw RPCError(
                code: .permissionDenied,
                message: "\(method) is for the instances of one cluster among themselves")
        }
    }
}

/// Whose call it is, and how it came here.
struct CallOrigin: Sendable {
    var caller: Caller
    var hop: Hop?
    /// The instance that passed it on, as `host:port`.
    var via: String?

    /// Runs a piece of the call so that ``Caller/current`` and ``Hop/current`` tell of it.
    func serving<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        try await Caller.$current.withValue(caller) {
            try await Hop.$current.withValue(hop) { try await body() }
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

    /// - Parameter address: As `host:port`.
    static func isLoopback(_ address: String) -> Bool {
        address.hasPrefix("127.") || address.hasPrefix("[::1]:")
            || address.hasPrefix("[::ffff:127.")
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
    private let origin: CallOrigin
    private let log: AuditLog
    private let state = Mutex(State())

    init(method: String, origin: CallOrigin, log: AuditLog) {
        self.method = method
        self.origin = origin
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
            method, objects: ended.objects + more, by: origin.caller, via: origin.via,
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
