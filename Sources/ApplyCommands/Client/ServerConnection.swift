internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import ManagerAPI
internal import Spec

/// A connection to the server that has answered once.
struct ServerConnection: Sendable {
    typealias Transport = HTTP2ClientTransport.Posix

    /// Largest message, both ways.
    static let maxMessageBytes = 4 << 20

    let address: ServerAddress
    let orchestrator: Wsm_V1_Orchestrator.Client<Transport>
    let manager: Virtufin_WebSocketManager.Client<Transport>
    let serverInfo: Wsm_V1_ServerInfo

    /// Connects, asks the server who it is, runs the body and closes.
    ///
    /// - Throws: A ``CommandFailure`` for everything gRPC has to say.
    static func with<Result: Sendable>(
        _ session: Session, refusal: CommandStatus = .conflict,
        _ body: (ServerConnection) async throws -> Result
    ) async throws -> Result {
        let address = session.server
        let credentials = try ClientCredentials(session.settings)
        let transport = try transport(to: address, credentials, session.settings)
        if let stray = session.settings.strayCredentials { session.warn(stray) }
        do {
            return try await withThrowingTaskGroup(of: Void.self) { group in
                let client = GRPCClient(
                    transport: transport, interceptors: credentials.interceptors)
                group.addTask { try await client.runConnections() }
                defer {
                    client.beginGracefulShutdown()
                    group.cancelAll()
                }
                let timeout = session.console.connectTimeout
                return try await body(try await open(client, address, within: timeout))
            }
        } catch let error as RPCError {
            throw CommandFailure(error, from: address, refusal: refusal)
        } catch let error as RuntimeError {
            throw CommandFailure(
                .unreachable,
                CommandFailure.unreachable(address, because: TerminalText.singleLine("\(error)")))
        }
    }

    private static func transport(
        to address: ServerAddress, _ credentials: ClientCredentials,
        _ settings: ConnectionSettings
    ) throws(CommandFailure) -> Transport {
        do {
            return try Transport(
                target: address.target, transportSecurity: credentials.security)
        } catch {
            guard let cert = settings.cert, let key = settings.key else {
                throw .usage("TLS cannot be set up: \(TerminalText.singleLine("\(error)"))")
            }
            throw .usage("\(key.value) is not the key of the certificate \(cert.value)")
        }
    }

    private static func open(
        _ client: GRPCClient<Transport>, _ address: ServerAddress, within timeout: Duration
    ) async throws -> ServerConnection {
        let orchestrator = Wsm_V1_Orchestrator.Client(wrapping: client)
        do {
            let info = try await orchestrator.getServerInfo(
                Wsm_V1_GetServerInfoRequest(), options: options(timeout: timeout))
            return ServerConnection(
                address: address, orchestrator: orchestrator,
                manager: Virtufin_WebSocketManager.Client(wrapping: client), serverInfo: info)
        } catch let error as RPCError where error.code == .unavailable {
            let reason = CommandFailure.rootCause(of: error)
            throw CommandFailure(
                .unreachable, CommandFailure.unreachable(address, because: reason))
        } catch let error as RPCError where error.code == .deadlineExceeded {
            let reason = "it gave no answer in \(DurationText.format(timeout))"
            throw CommandFailure(
                .unreachable, CommandFailure.unreachable(address, because: reason))
        }
    }

    /// The options of every call.
    static func options(timeout: Duration? = nil) -> CallOptions {
        var options = CallOptions.defaults
        options.timeout = timeout
        options.waitForReady = false
        options.maxRequestMessageBytes = maxMessageBytes
        options.maxResponseMessageBytes = maxMessageBytes
        return options
    }
}
