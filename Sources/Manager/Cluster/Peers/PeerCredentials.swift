package import Access
package import GRPCNIOTransportHTTP2Posix

/// What this instance shows its peers, and how it knows theirs; asked anew where it can change.
package struct PeerCredentials: Sendable {
    /// Sent as a bearer token with every call; `nil` sends none.
    package var token: @Sendable () -> String?
    /// Of a new connection.
    package var security: @Sendable () throws -> HTTP2ClientTransport.Posix.TransportSecurity
    /// Another number than before means that connections have to be made anew.
    package var version: @Sendable () -> UInt64
    /// New connections are encrypted, and certificates are looked at.
    package var isTLS = false

    package init(
        token: @escaping @Sendable () -> String?,
        security: @escaping @Sendable () throws -> HTTP2ClientTransport.Posix.TransportSecurity,
        version: @escaping @Sendable () -> UInt64 = { 0 }
    ) {
        self.token = token
        self.security = security
        self.version = version
    }

    /// Nothing: peers on one machine that nobody else reaches.
    package static let open = PeerCredentials(token: { nil }, security: { .plaintext })

    /// The token of `--peer-token-file`; TLS where this server itself has a certificate, since all
    /// instances of a cluster are set up alike. The certificate is shown to the peer as well, which
    /// may ask for one.
    package init(files: AccessFiles) {
        self.init(
            token: { files.peerTokens?.secret },
            security: {
                guard let certificate = files.paths.certificate, let key = files.paths.key else {
                    return .plaintext
                }
                var tls = HTTP2ClientTransport.Posix.TransportSecurity.TLS.defaults
                tls.certificateChain = [.file(path: certificate, format: .pem)]
                tls.privateKey = .file(path: key, format: .pem)
                if let authorities = files.peerCA {
                    tls.trustRoots = .certificates([.bytes(authorities, format: .pem)])
                    // Addresses of instances come and go; who has a certificate of this authority
                    // is one.
                    tls.serverCertificateVerification = .noHostnameVerification
                }
                return .tls(tls)
            }, version: { files.tlsVersion })
        isTLS = files.paths.certificate != nil && files.paths.key != nil
    }
}
