package import Access
import NIOCore

extension ServerConfiguration {
    /// Others reach the ports, and they are encrypted and know their callers.
    package var isGuarded: Bool {
        tlsCertificatePath != nil && tlsKeyPath != nil
            && (tokenFile != nil || clientCAPath != nil)
    }

    /// ``isInsecure`` makes a difference: without it the server would not start.
    package var isOpen: Bool { !isBoundToLoopback && !isGuarded }

    /// - Throws: ``Invalid`` naming the flags.
    func validateAccess() throws(Invalid) {
        if bind != "localhost", (try? SocketAddress(ipAddress: bind, port: 0)) == nil {
            throw Invalid(
                description: "--bind is \(bind): it must be an IPv4 or IPv6 address of this "
                    + "machine, 0.0.0.0 or :: for all of them, or localhost")
        }
        guard (tlsCertificatePath == nil) == (tlsKeyPath == nil) else {
            throw Invalid(
                description: tlsKeyPath == nil
                    ? "--tls-cert needs --tls-key, the certificate's private key"
                    : "--tls-key needs --tls-cert, the key's certificate")
        }
        guard clientCAPath == nil || tlsCertificatePath != nil else {
            throw Invalid(
                description: "--client-ca needs --tls-cert and --tls-key: client certificates are "
                    + "shown in TLS only")
        }
        try validatePeers()
        guard isOpen, !isInsecure else { return }
        throw Invalid(
            description: "--bind is \(bind), so others than this machine reach the server: it "
                + "needs \(missing), or --insecure to let everybody in all the same")
    }

    /// How other instances are known.
    package var peerAdmission: PeerAdmission {
        guard hasPeers else { return .none }
        return peerTokenFile == nil ? .loopback : .token
    }

    private func validatePeers() throws(Invalid) {
        guard hasPeers, peerTokenFile == nil else { return }
        let why =
            if !isBoundToLoopback {
                "--bind is \(bind), so others than this machine reach the server"
            } else if tokenFile != nil || clientCAPath != nil {
                "callers are told apart"
            } else {
                ""
            }
        guard !why.isEmpty else { return }
        throw Invalid(
            description: "instances that share a state store call each other, and \(why): they "
                + "need --peer-token-file, the same on all of them")
    }

    private var missing: String {
        let tls = "--tls-cert and --tls-key"
        let callers = "--token-file or --client-ca"
        if tlsCertificatePath != nil { return callers }
        return tokenFile != nil ? tls : "\(tls), with \(callers)"
    }
}
