internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
private import NIOSSL

/// What a connection to the server is secured with, read from the files of the settings.
struct ClientCredentials: Sendable {
    /// A chain of certificates or a key is a few kilobytes; in bytes.
    static let maxFileBytes = 1 << 20

    let security: HTTP2ClientTransport.Posix.TransportSecurity
    let interceptors: [any ClientInterceptor]

    /// - Throws: A ``CommandFailure`` naming the file and where its name comes from.
    init(_ settings: ConnectionSettings) throws(CommandFailure) {
        interceptors =
            try settings.tokenFile.map { file throws(CommandFailure) in
                [TokenInterceptor(token: try Self.token(file))]
            } ?? []
        guard settings.tls.value else {
            security = .plaintext
            return
        }
        var tls = HTTP2ClientTransport.Posix.TransportSecurity.TLS.defaults
        if let ca = settings.ca {
            tls.trustRoots = .certificates([try Self.certificates(ca)])
        }
        if let cert = settings.cert, let key = settings.key {
            tls.certificateChain = [try Self.certificates(cert)]
            let bytes = try Self.read(key)
            guard (try? NIOSSLPrivateKey(bytes: bytes, format: .pem)) != nil else {
                throw .usage(
                    "\(Self.place(key)) holds no private key in PEM that opens without a passphrase"
                )
            }
            tls.privateKey = .bytes(bytes, format: .pem)
        }
        security = .tls(tls)
    }

    private static func certificates(
        _ file: ConnectionSettings.Setting<String>
    ) throws(CommandFailure) -> TLSConfig.CertificateSource {
        let bytes = try read(file)
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(bytes), !certificates.isEmpty
        else { throw .usage("\(place(file)) holds no certificates in PEM") }
        return .bytes(bytes, format: .pem)
    }

    private static func token(
        _ file: ConnectionSettings.Setting<String>
    ) throws(CommandFailure) -> String {
        let words = String(decoding: try read(file), as: UTF8.self).split(
            whereSeparator: \.isWhitespace)
        guard words.count == 1,
            words[0].unicodeScalars.allSatisfy({ (0x21...0x7E).contains($0.value) })
        else {
            throw .usage(
                "\(place(file)) should hold our token and nothing else; it holds "
                    + words.count.counted("word"))
        }
        return String(words[0])
    }

    private static func read(
        _ file: ConnectionSettings.Setting<String>
    ) throws(CommandFailure) -> [UInt8] {
        do throws(CommandFailure) {
            let bytes = try SystemCalls.contents(of: file.value, limit: maxFileBytes)
            guard bytes.count <= maxFileBytes else {
                throw CommandFailure(.invalid, "larger than \(maxFileBytes) bytes")
            }
            return bytes
        } catch {
            throw .usage("\(place(file)) cannot be read: \(error.message)")
        }
    }

    private static func place(_ file: ConnectionSettings.Setting<String>) -> String {
        "\(file.value) (\(file.origin))"
    }
}

/// Sends our token along with every call.
private struct TokenInterceptor: ClientInterceptor {
    let token: String

    @concurrent
    func intercept<Input: Sendable, Output: Sendable>(
        request: StreamingClientRequest<Input>, context: ClientContext,
        next:
            @concurrent (
                _ request: StreamingClientRequest<Input>, _ context: ClientContext
            ) async throws -> StreamingClientResponse<Output>
    ) async throws -> StreamingClientResponse<Output> {
        var request = request
        request.metadata.replaceOrAddString("Bearer \(token)", forKey: "authorization")
        return try await next(request, context)
    }
}
