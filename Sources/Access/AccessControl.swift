import SwiftASN1
package import X509

/// One call, before anything of it is done.
package struct AccessRequest: Sendable {
    /// `package.Service/Method`, or a page of the HTTP port as `http/metrics`.
    package var method: String
    /// The value of the `authorization` header.
    package var authorization: String?
    /// What the TLS handshake has verified, never what somebody sent otherwise.
    package var peerCertificate: Certificate?
    /// Where the call comes from, as `host:port`.
    package var address: String

    package init(
        method: String, authorization: String?, peerCertificate: Certificate?, address: String
    ) {
        self.method = method
        self.authorization = authorization
        self.peerCertificate = peerCertificate
        self.address = address
    }

    /// - Parameter certificate: In DER, as the handshake has verified it; one that is none counts as
    ///   no certificate.
    package init(
        method: String, authorization: String?, certificate: [UInt8]?, address: String
    ) {
        self.init(
            method: method, authorization: authorization,
            peerCertificate: certificate.flatMap { try? Certificate(derEncoded: $0) },
            address: address)
    }
}

/// What becomes of a call. The sentences go to the caller as they are.
package enum AccessDecision: Sendable, Hashable {
    case admitted(Caller)
    case unauthenticated(String)
    case permissionDenied(String)
}

/// Decides who may make which call. The one place that does, for both ports.
package final class AccessControl: Sendable {
    private let files: AccessFiles
    private let audit: AuditLog
    private let peers: PeerAdmission

    /// - Parameters:
    ///   - files: Without a token file and without client authorities everybody is admitted to
    ///     everything, as ``Caller/anonymousName``.
    ///   - peers: How other instances are known.
    package init(files: AccessFiles, audit: AuditLog, peers: PeerAdmission = .none) {
        self.files = files
        self.audit = audit
        self.peers = peers
    }

    /// Whether the sender of a call has proven to be another instance of this cluster.
    ///
    /// - Parameters:
    ///   - authorization: The value of that header.
    ///   - address: Where the call comes from, as `host:port`.
    package func isPeer(authorization: String?, address: String) -> Bool {
        switch peers {
        case .none: false
        case .token:
            authorization.flatMap(BearerToken.read).map {
                files.peerTokens?.accepts($0) ?? false
            } ?? false
        case .loopback:
            !files.tellsCallersApart && authorization == nil && PeerAddress.isLoopback(address)
        }
    }

    package func admit(_ request: AccessRequest) -> AccessDecision {
        let decision = decide(request)
        switch decision {
        case .admitted: break
        case .unauthenticated, .permissionDenied: audit.refused(request, decision)
        }
        return decision
    }

    private func decide(_ request: AccessRequest) -> AccessDecision {
        let requirement = MethodRoles.requirement(of: request.method)
        if requirement == .peer {
            return .permissionDenied(
                "\(request.method) is for the instances of one cluster among themselves "
                    + "(--peer-token-file)")
        }
        guard files.tellsCallersApart else {
            return .admitted(.anonymous(.admin, at: request.address))
        }
        guard case .role(let needed) = requirement else {
            return .admitted(.anonymous(.read, at: request.address))
        }
        let caller: Caller
        switch identify(request) {
        case .success(let found): caller = found
        case .failure(let refusal): return .unauthenticated(refusal.sentence)
        }
        guard caller.role >= needed else {
            return .permissionDenied(
                "\(caller.name) has the role \(caller.role.rawValue) (by its "
                    + "\(caller.means.rawValue)): \(request.method) needs \(needed.rawValue)")
        }
        return .admitted(caller)
    }

    private struct Refusal: Error {
        var sentence: String
    }

    /// A token that is sent has to be right, even where a certificate would do: whoever sends one
    /// means to be its owner. Without one the certificate counts.
    private func identify(_ request: AccessRequest) -> Result<Caller, Refusal> {
        if let tokens = files.tokens, let authorization = request.authorization {
            guard let token = BearerToken.read(authorization) else {
                return .failure(
                    Refusal(sentence: "the authorization header is not of the form Bearer TOKEN"))
            }
            guard let entry = tokens.entry(of: token) else {
                return .failure(Refusal(sentence: "the token is not known to this server"))
            }
            return .success(
                Caller(
                    name: entry.name, role: entry.role, means: .token, address: request.address))
        }
        if files.hasClientAuthorities, let certificate = request.peerCertificate {
            guard let identity = CertificateIdentity(certificate) else {
                return .failure(
                    Refusal(
                        sentence: "the client certificate has neither a common name nor a subject "
                            + "alternative name to know its owner by"))
            }
            return .success(
                Caller(
                    name: identity.name, role: identity.role, means: .certificate,
                    address: request.address))
        }
        return .failure(Refusal(sentence: files.whatIsMissing))
    }
}

extension AccessFiles {
    fileprivate var whatIsMissing: String {
        switch (paths.tokenFile != nil, hasClientAuthorities) {
        case (true, true):
            "neither a token (authorization: Bearer TOKEN) nor a client certificate was sent"
        case (true, false): "no token was sent (authorization: Bearer TOKEN)"
        default: "no client certificate was sent"
        }
    }
}

/// The `authorization` header (RFC 6750, 2.1).
enum BearerToken {
    /// - Returns: The token; `nil` where the header is of another scheme or form.
    static func read(_ authorization: String) -> String? {
        let parts = authorization.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}
