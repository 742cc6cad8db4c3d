/// Reads a token file.
///
/// One token a line, fields parted by blanks; empty lines and lines that begin with `#` say nothing:
///
///     # role  name        token
///     admin   deploy      1yq0zWvC8Yx2-Jf3kQ7hPw
///     read    dashboards  sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
///
/// A token written as `sha256:` and 64 hexadecimal digits stands for the one with that SHA-256, so
/// that the file holds no secret. A name may stand on several lines: old and new token while one
/// takes the other's place.
package enum TokenFile {
    /// Of a token, in characters: 96 bits in base64. Shorter ones can be guessed.
    package static let shortestToken = 16
    /// Of a token, in characters: far below what a header may have.
    static let longestToken = 1_024
    static let longestName = 253
    /// Lines of tokens; every one is compared with at each call.
    static let mostTokens = 1_000

    /// Why a token file cannot be used. Never holds a token.
    package struct Invalid: Error, Sendable, Hashable, CustomStringConvertible {
        /// From 1; `nil` where it is about the whole file.
        package var line: Int?
        package var message: String

        package var description: String { line.map { "line \($0): \(message)" } ?? message }
    }

    package struct Content: Sendable, Hashable {
        package var table: TokenTable
        /// Some token stands in the file itself.
        package var holdsSecrets: Bool
    }

    package static func parse(_ bytes: [UInt8]) throws(Invalid) -> Content {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Invalid(message: "it is not UTF-8 text")
        }
        var entries: [TokenTable.Entry] = []
        var lines: [[UInt8]: Int] = [:]
        var holdsSecrets = false
        for (index, line) in text.split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).enumerated() {
            let number = index + 1
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard let first = fields.first, first.first != "#" else { continue }
            let entry = try entry(fields, line: number)
            if let other = lines.updateValue(number, forKey: entry.digest) {
                throw Invalid(line: number, message: "the token stands on line \(other) already")
            }
            if !fields[2].hasPrefix(hashPrefix) { holdsSecrets = true }
            entries.append(entry)
        }
        guard !entries.isEmpty else { throw Invalid(message: "it holds no token") }
        guard entries.count <= mostTokens else {
            throw Invalid(
                message: "it holds \(entries.count) tokens: at most \(mostTokens) are read")
        }
        return Content(table: TokenTable(entries), holdsSecrets: holdsSecrets)
    }

    private static let hashPrefix = "sha256:"

    private static func entry(
        _ fields: [Substring], line: Int
    ) throws(Invalid) -> TokenTable.Entry {
        guard fields.count == 3 else {
            throw Invalid(
                line: line,
                message: "a line has three fields, ROLE NAME TOKEN; this one has \(fields.count)")
        }
        guard let role = Role(rawValue: String(fields[0])) else {
            // What stands there may be a token, if the fields were swapped.
            throw Invalid(line: line, message: "the first field is the role: read or admin")
        }
        let name = String(fields[1])
        guard name.utf8.count <= longestName, name.unicodeScalars.allSatisfy(isVisible),
            name != Caller.anonymousName
        else {
            throw Invalid(
                line: line,
                message: "a name has 1 to \(longestName) visible ASCII characters and is not "
                    + Caller.anonymousName)
        }
        return TokenTable.Entry(name: name, role: role, digest: try digest(fields[2], line: line))
    }

    private static func digest(_ token: Substring, line: Int) throws(Invalid) -> [UInt8] {
        if token.hasPrefix(hashPrefix) {
            guard let digest = Hexadecimal.bytes(of: token.dropFirst(hashPrefix.count)),
                digest.count == 32
            else {
                throw Invalid(line: line, message: "after sha256: stand 64 hexadecimal digits")
            }
            return digest
        }
        return TokenTable.digest(of: try Self.token(token, line: line))
    }

    /// Checks a token that stands in a file as it is.
    static func token(_ token: Substring, line: Int) throws(Invalid) -> String {
        guard (shortestToken...longestToken).contains(token.utf8.count) else {
            throw Invalid(
                line: line,
                message: "a token has \(shortestToken) to \(longestToken) characters; this one has "
                    + "\(token.utf8.count)")
        }
        guard token.unicodeScalars.allSatisfy(isVisible) else {
            throw Invalid(line: line, message: "a token has visible ASCII characters only")
        }
        return String(token)
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        (0x21...0x7E).contains(scalar.value)
    }
}
