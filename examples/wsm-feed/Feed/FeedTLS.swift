import NIOSSL

/// How the server speaks TLS.
package struct FeedTLS: Sendable {
    package var certificatePEM: [UInt8]
    package var keyPEM: [UInt8]
    /// With a CA, a client must show a certificate signed by it.
    package var clientCAPEM: [UInt8]?
    /// Whether TLS 1.2 is the newest version spoken.
    package var onlyTLS12: Bool

    package init(
        certificatePEM: [UInt8],
        keyPEM: [UInt8],
        clientCAPEM: [UInt8]? = nil,
        onlyTLS12: Bool = false
    ) {
        self.certificatePEM = certificatePEM
        self.keyPEM = keyPEM
        self.clientCAPEM = clientCAPEM
        self.onlyTLS12 = onlyTLS12
    }

    func makeContext() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(self.certificatePEM)
        let key = try NIOSSLPrivateKey(bytes: self.keyPEM, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        if let clientCAPEM {
            configuration.trustRoots = .certificates(
                try NIOSSLCertificate.fromPEMBytes(clientCAPEM))
            configuration.certificateVerification = .noHostnameVerification
        }
        if self.onlyTLS12 { configuration.maximumTLSVersion = .tlsv12 }
        return try NIOSSLContext(configuration: configuration)
    }
}
