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
        // By bytes: to a String, CRLF is one character.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
            .map { Substring(decoding: $0, as: UTF8.self) }
        let (status, reason) = try Self.status(in: lines[0])
        var headers: [Header] = []
        for line in lines.dropFirst() where !line.isEmpty {
            headers.append(try Self.header(in: line))
        }
        self.init(status: status, reason: reason, headers: headers)
    }

    private static func status(
        in line: Substring
    ) throws(HandshakeFailure) -> (status: Int, reason: String) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0" else {
            throw .badHandshake("the answer is not HTTP/1.1")
        }
        let digits = parts[1]
        guard digits.utf8.count == 3, let status = UInt16(digits), (100...999).contains(status)
        else {
            throw .badHandshake("the answer has no valid status")
        }
        return (Int(status), parts.count == 3 ? String(parts[2]) : "")
    }

    private static func header(in line: Substring) throws(HandshakeFailure) -> Header {
        guard let colon = line.firstIndex(of: ":"), HTTPText.isToken(line[..<colon]) else {
            throw .badHandshake("the answer has a malformed header line")
        }
        let value = HTTPText.trim(line[line.index(after: colon)...])
        guard HTTPText.isFieldValue(value) else {
            throw .badHandshake("the answer has control characters in a header")
        }
        return Header(name: line[..<colon].lowercased(), value: value)
    }
}
