/// The few rules of HTTP's syntax that a handshake needs (RFC 9110, 5).
enum HTTPText {
    /// Whether a string is a token: a header name, a subprotocol.
    static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy(Self.isTokenByte)
    }

    /// Whether a string may be a header's value as we send it.
    static func isFieldValue(_ text: String) -> Bool {
        !text.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
    }

    /// Whether a string may stand between blanks in the request line, or be the host.
    static func isVisible(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    /// Whether a comma-separated list has the token, given in lower case, without regard to case.
    static func list(_ value: String, contains token: String) -> Bool {
        var rest = Array(value.utf8)[...]
        while !rest.isEmpty {
            let member = rest.prefix { $0 != UInt8(ascii: ",") }
            if Self.trim(member).lazy.map(Self.lowercased).elementsEqual(token.utf8) {
                return true
            }
            rest = rest[member.endIndex...].dropFirst()
        }
        return false
    }

    /// Of a letter of ASCII; every other byte as it is.
    static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Removes blanks and tabs at both ends.
    static func trim(_ text: some StringProtocol) -> String {
        String(decoding: Self.trim(Array(text.utf8)[...]), as: UTF8.self)
    }

    /// Removes blanks and tabs at both ends.
    static func trim(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes
        while let first = bytes.first, Self.isBlank(first) { bytes.removeFirst() }
        while let last = bytes.last, Self.isBlank(last) { bytes.removeLast() }
        return bytes
    }

    /// What a server wrote, fit for one line of a log: printable ASCII only, cut at `limit`.
    static func printable(_ text: some StringProtocol, limit: Int) -> String {
        let bytes = text.utf8.prefix(limit).map { (0x20...0x7E).contains($0) ? $0 : 0x3F }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default:
            "!#$%&'*+.^_`|~".utf8.contains(byte)
        }
    }
}
