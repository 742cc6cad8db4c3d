import ManagerCore
import Spec
import WebSocket

/// Everything one dial needs, with the secrets in it; lives only as long as the dial.
struct DialInput: Sendable {
    struct InitialMessage: Sendable {
        var kind: WebSocketOpcode
        var payload: [UInt8]
    }

    struct Failure: Error {
        var message: String
        var isSecret: Bool

        func linkFailure(at time: WallTime) -> LinkFailure {
            LinkFailure(
                failureClass: .configuration, code: isSecret ? "secretUnavailable" : "invalidSpec",
                message: message, at: time)
        }
    }

    var request: WebSocketRequest
    var initialMessages: [InitialMessage]

    /// Reads the secrets a spec names. Blocks on files, where it ``ConnectionSpec/readsFiles``.
    static func resolve(
        _ spec: ConnectionSpec, secrets: SecretResolver, egress: EgressGuard
    ) -> Result<DialInput, Failure> {
        Result { () throws(Failure) -> DialInput in
            do {
                return DialInput(
                    request: try request(spec, secrets: secrets, egress: egress),
                    initialMessages: try spec.onOpen.map { try message($0, secrets: secrets) })
            } catch let error as SecretResolver.Unavailable {
                throw Failure(message: error.description, isSecret: true)
            } catch let error as Failure {
                throw error
            } catch {
                throw Failure(message: "\(error)", isSecret: false)
            }
        }
    }

    private static func request(
        _ spec: ConnectionSpec, secrets: SecretResolver, egress: EgressGuard
    ) throws -> WebSocketRequest {
        let endpoint: Endpoint
        do {
            endpoint = try Endpoint.parse(spec.url)
        } catch {
            throw Failure(message: "url: \(error.message)", isSecret: false)
        }
        let headers = try spec.headers.sorted { $0.key < $1.key }.map { name, value in
            (name: name, value: try headerText(value, name: name, secrets: secrets))
        }
        return WebSocketRequest(
            isSecure: endpoint.isSecure, host: endpoint.host, port: endpoint.port,
            authority: endpoint.authority, requestTarget: endpoint.requestTarget,
            headers: headers, subprotocols: spec.subprotocols,
            requireSubprotocol: spec.requireSubprotocol,
            compression: compression(spec.compression),
            tls: try tls(spec.tls, secrets: secrets),
            timeouts: DialTimeouts(
                dial: spec.timeouts.dial, resolve: spec.timeouts.resolve,
                connect: spec.timeouts.connect, tls: spec.timeouts.tls,
                upgrade: spec.timeouts.upgrade),
            maxMessageSize: spec.maxMessageSize, closeTimeout: spec.timeouts.close,
            addressFilter: { egress.refusal(of: $0) })
    }

    /// A secret is checked here as the compiler checks a literal: nothing may end the header early.
    private static func headerText(
        _ value: Value, name: String, secrets: SecretResolver
    ) throws -> String {
        let text = try secrets.text(of: value)
        guard !text.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) else {
            throw Failure(
                message: "the secret for header \(name) holds CR, LF or NUL", isSecret: true)
        }
        return text
    }

    private static func compression(
        _ compression: ConnectionSpec.Compression
    ) -> CompressionOptions? {
        guard compression.mode != .off else { return nil }
        return CompressionOptions(
            isRequired: compression.mode == .require,
            serverContextTakeover: compression.serverContextTakeover,
            clientContextTakeover: compression.clientContextTakeover,
            serverMaxWindowBits: compression.serverMaxWindowBits,
            clientMaxWindowBits: compression.clientMaxWindowBits,
            threshold: compression.threshold)
    }

    private static func tls(
        _ tls: ConnectionSpec.TLS, secrets: SecretResolver
    ) throws -> TLSOptions {
        TLSOptions(
            caPEM: try tls.ca.map { try secrets.bytes(of: $0) },
            certPEM: try tls.cert.map { try secrets.bytes(of: $0) },
            keyPEM: try tls.key.map { try secrets.bytes(of: $0) },
            serverName: tls.serverName, minVersion: tls.minVersion == .v13 ? .v13 : .v12,
            insecureSkipVerify: tls.insecureSkipVerify)
    }

    private static func message(
        _ message: ConnectionSpec.InitialMessage, secrets: SecretResolver
    ) throws -> InitialMessage {
        switch message {
        case .text(let value):
            return InitialMessage(kind: .text, payload: [UInt8](try secrets.text(of: value).utf8))
        case .base64(let value):
            guard let payload = try? Base64.decode(try secrets.text(of: value)) else {
                throw Failure(
                    message: "an onOpen secret is not base64 (RFC 4648, with padding)",
                    isSecret: true)
            }
            return InitialMessage(kind: .binary, payload: payload)
        }
    }
}
