/// The secret that the instances of one cluster share, from a file of its own.
///
/// One token a line; empty lines and lines that begin with `#` say nothing. The first is sent, each
/// is accepted: a new one is put below the old one on all instances, then above it, and then the
/// old one is taken out.
package struct PeerTokens: Sendable, Hashable {
    /// Lines of tokens: old and new, with room to spare.
    static let mostTokens = 8

    /// Sent with every call. Never logged.
    package let secret: String
    private let accepted: TokenTable

    /// - Throws: ``TokenFile/Invalid``, which never holds a token.
    package init(parsing bytes: [UInt8]) throws(TokenFile.Invalid) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TokenFile.Invalid(message: "it is not UTF-8 text")
        }
        var tokens: [String] = []
        for (index, line) in text.split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated() {
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard let first = fields.first, first.first != "#" else { continue }
            guard fields.count == 1 else {
                throw TokenFile.Invalid(
                    line: index + 1, message: "a line has one token and nothing else")
            }
            tokens.append(try TokenFile.token(first, line: index + 1))
        }
        guard let first = tokens.first else {
            throw TokenFile.Invalid(message: "it holds no token")
        }
        guard tokens.count <= Self.mostTokens else {
            throw TokenFile.Invalid(
                message: "it holds \(tokens.count) tokens: at most \(Self.mostTokens) are read")
        }
        secret = first
        accepted = TokenTable(
            tokens.map {
                .init(name: Caller.peerName, role: .admin, digest: TokenTable.digest(of: $0))
            })
    }

    /// Takes the same time however much of the token is right.
    package func accepts(_ token: String) -> Bool { accepted.entry(of: token) != nil }
}

/// How an instance knows its peers.
package enum PeerAdmission: Sendable, Hashable {
    /// There are none: the process is alone on its store.
    case none
    /// By the token of `--peer-token-file`.
    case token
    /// By coming from this machine. Only for a server that nobody else reaches and that admits
    /// everybody to everything anyway.
    case loopback
}
