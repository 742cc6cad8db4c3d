/// Who makes a call, once it was admitted.
package struct Caller: Sendable, Hashable {
    /// How a caller was told apart.
    package enum Means: String, Sendable, Hashable, CaseIterable {
        /// Not at all: the server admits everybody, or the call needs nobody's name.
        case anonymous
        case token
        case certificate
        /// Another instance of the cluster, for itself.
        case peer
    }

    /// The name everybody has where callers are not told apart.
    package static let anonymousName = "anonymous"
    /// The name of another instance that calls for itself.
    package static let peerName = "peer"

    /// As in the token file or the certificate.
    package var name: String
    package var role: Role
    package var means: Means
    /// Where the call comes from, as `host:port`.
    package var address: String

    package init(name: String, role: Role, means: Means, address: String) {
        self.name = name
        self.role = role
        self.means = means
        self.address = address
    }

    /// The caller of the call that this task serves; `nil` outside of calls.
    @TaskLocal package static var current: Caller?

    static func peer(at address: String) -> Caller {
        Caller(name: peerName, role: .admin, means: .peer, address: address)
    }

    static func anonymous(_ role: Role, at address: String) -> Caller {
        Caller(name: anonymousName, role: role, means: .anonymous, address: address)
    }
}

extension Caller {
    /// Who applied something, for the record: the name that was proven before the one that was
    /// only said.
    ///
    /// - Parameter claimed: What the request says, as `user@host`; anybody may write anything there.
    package static func attribution(of claimed: String) -> String {
        guard let caller = current, caller.means != .anonymous else { return claimed }
        return claimed.isEmpty ? caller.name : "\(caller.name) (\(claimed))"
    }
}
