import Crypto

/// The tokens of a token file, each as its SHA-256 only.
package struct TokenTable: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var name: String
        package var role: Role
        /// SHA-256 of the token, 32 bytes.
        var digest: [UInt8]
    }

    package let entries: [Entry]

    init(_ entries: [Entry]) {
        self.entries = entries
    }

    /// The owner of a token.
    ///
    /// Takes the same time wherever the token stands and however much of it is right: what is
    /// compared are digests, all of them, without a branch on the outcome.
    package func entry(of token: String) -> Entry? {
        let digest = Self.digest(of: token)
        var found = -1
        for (index, entry) in entries.enumerated() {
            var difference: UInt8 = 0
            for (left, right) in zip(entry.digest, digest) { difference |= left ^ right }
            // All ones where they are equal, else zero.
            let isEqual = (Int(difference) - 1) >> (Int.bitWidth - 1)
            found = (found & ~isEqual) | (index & isEqual)
        }
        return found < 0 ? nil : entries[found]
    }

    static func digest(of token: some StringProtocol) -> [UInt8] {
        Array(SHA256.hash(data: Array(token.utf8)))
    }
}
