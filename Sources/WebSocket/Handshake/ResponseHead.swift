/// The head of an HTTP/1.1 response.
struct ResponseHead: Sendable, Hashable {
    struct Header: Sendable, Hashable {
        /// In lower case.
        var name: String
        var value: String
    }

    var status: Int
    var reason: String
    var headers: [Header]

    /// Whether a header of a name given in lower case has the token in its list, without regard to
    /// case.
    func lists(_ token: String, in name: String) -> Bool {
        self.headers.contains { $0.name == name && HTTPText.list($0.value, contains: token) }
    }

    /// The values of all headers of a name given in lower case, in order.
    func values(of name: String) -> [String] {
        self.headers.filter { $0.name == name }.map(\.value)
    }
}

extension ResponseHead {
    /// Reads a head, its last empty line included or not.
    ///
    /// Lines end with CRLF or, as RFC 9112, 2.2 allows, LF. Folded lines are refused, as is a blank
    /// before the colon: both have been used to smuggle headers.
    init(parsing bytes: [UInt8]) throws(HandshakeFailure) {
        var rest = bytes[...]
        let (status, reason) = try Self.status(in: Self.nextLine(&rest))
        var headers: [Header] = []
        while !rest.isEmpty {
            let line = Self.nextLine(&rest)
            if !line.isEmpty { headers.append(try Self.header(in: line)) }
        }
        self.init(status: status, reason: reason, headers: headers)
    }

    /// Takes a line off, without its end.
    private static func nextLine(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
        var line = rest[..<end]
        rest = rest[end...].dropFirst()
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }

    private static func status(
        in line: ArraySlice<UInt8>
    ) throws(HandshakeFailure) -> (status: Int, reason: String) {
        let parts = line.split(
            separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2,
            parts[0].elementsEqual("HTTP/1.1".utf8) || parts[0].elementsEqual("HTTP/1.0".utf8)
        else {
            throw .badHandshake("the answer is not HTTP/1.1")
        }
        let digits = parts[1]
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.first != 0x30
        else {
            throw .badHandshake("the answer has no valid status")
        }
        let status = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return (status, parts.count == 3 ? String(decoding: parts[2], as: UTF8.self) : "")
    }

    private static func header(
        in line: ArraySlice<UInt8>
    ) throws(HandshakeFailure) -> Header {
        let name = line.prefix { $0 != UInt8(ascii: ":") }
        guard name.endIndex < line.endIndex, !name.isEmpty,
            name.allSatisfy(HTTPText.isTokenByte)
        else {
            throw .badHandshake("the answer has a malformed header line")
        }
        let value = HTTPText.trim(line[name.endIndex...].dropFirst())
        guard !value.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\r") }) else {
            throw .badHandshake("the answer has control characters in a header")
        }
        return Header(
            name: String(decoding: name.lazy.map(HTTPText.lowercased), as: UTF8.self),
            value: String(decoding: value, as: UTF8.self))
    }
}
