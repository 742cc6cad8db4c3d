package import NIOCore
import NIOSSL

/// What a TLS handshake of this server needs, checked as a whole.
struct TLSMaterial: Sendable {
    let chain: [NIOSSLCertificate]
    let key: NIOSSLPrivateKey
    /// For the gRPC port, which speaks HTTP/2.
    let grpc: NIOSSLContext
    /// For the HTTP port.
    let http: NIOSSLContext

    /// - Parameters:
    ///   - certificate: PEM, the server's own first.
    ///   - key: PEM, without a passphrase.
    ///   - clientCA: PEM; `nil` asks clients for no certificate.
    ///   - isTokenEnough: A client without a certificate may still have a token, so the handshake
    ///     does not ask more of it than that what it shows is right.
    /// - Throws: ``AccessFileError`` with the index of the file: certificate, key, client CA.
    init(
        certificate: [UInt8], key: [UInt8], clientCA: [UInt8]?, isTokenEnough: Bool
    ) throws(AccessFileError) {
        chain = try Self.certificates(certificate, file: 0)
        do {
            self.key = try NIOSSLPrivateKey(bytes: key, format: .pem)
        } catch {
            throw AccessFileError(
                file: 1, message: "it holds no private key in PEM that opens without a passphrase")
        }
        let authorities = try clientCA.map { bytes throws(AccessFileError) in
            try Self.certificates(bytes, file: 2)
        }
        let base = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(self.key))
        grpc = try Self.context(
            Self.configuration(
                base, protocols: ["h2"], authorities: authorities,
                isCertificateOptional: isTokenEnough))
        // Probes come to this port, and they have no certificate.
        http = try Self.context(
            Self.configuration(
                base, protocols: ["http/1.1"], authorities: authorities,
                isCertificateOptional: true))
    }

    static func checkCertificates(_ pem: [UInt8], file: Int) throws(AccessFileError) {
        _ = try certificates(pem, file: file)
    }

    private static func certificates(
        _ pem: [UInt8], file: Int
    ) throws(AccessFileError) -> [NIOSSLCertificate] {
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(pem), !certificates.isEmpty
        else {
            throw AccessFileError(file: file, message: "it holds no certificates in PEM")
        }
        return certificates
    }

    private static func configuration(
        _ base: TLSConfiguration, protocols: [String], authorities: [NIOSSLCertificate]?,
        isCertificateOptional: Bool
    ) -> TLSConfiguration {
        var configuration = base
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        guard let authorities else { return configuration }
        configuration.trustRoots = .certificates(authorities)
        configuration.sendCANameList = true
        configuration.certificateVerification =
            isCertificateOptional ? .optionalVerification : .noHostnameVerification
        return configuration
    }

    private static func context(
        _ configuration: TLSConfiguration
    ) throws(AccessFileError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw AccessFileError(file: 1, message: "it is not the key of the certificate")
        }
    }
}

extension AccessFiles {
    /// Which port a handshake is for.
    package enum Port: Sendable, Hashable {
        case grpc, http
    }

    /// Makes a new connection a TLS one, by the files as they are now. Handlers go to the front of
    /// its pipeline, so this is called on the channel's event loop before anything is read.
    ///
    /// - Throws: ``NoTLS`` for a server without certificate.
    package func secure(_ channel: any Channel, for port: Port) throws {
        guard let tls else { throw NoTLS() }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HandshakeDeadline(), position: .first)
        try pipeline.addHandler(
            NIOSSLServerHandler(context: port == .grpc ? tls.grpc : tls.http), position: .first)
    }

    package struct NoTLS: Error, CustomStringConvertible {
        package var description: String { "the server has no --tls-cert and --tls-key" }
    }
}
