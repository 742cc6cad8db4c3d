/// The request that asks a server to speak WebSocket (RFC 6455, 4.1).
enum HandshakeRequest {
    /// The headers that are ours to set; a request that brings its own is refused.
    private static let reserved: Set<String> = [
        "host", "connection", "upgrade", "content-length", "transfer-encoding",
    ]

    /// Checks that nothing in the request can break the HTTP head apart.
    /// - Returns: What is wrong, without the value that is wrong; nil when nothing is.
    static func problem(in request: WebSocketRequest) -> String? {
        guard HTTPText.isVisible(request.host), HTTPText.isVisible(request.authority) else {
            return "the host is empty or has blanks or control characters"
        }
        guard (1...65535).contains(request.port) else { return "the port is not in 1-65535" }
        let target = request.requestTarget
        guard target.utf8.first == UInt8(ascii: "/"), HTTPText.isVisible(target) else {
            return "the request target does not begin with / or has blanks or control characters"
        }
        for (name, value) in request.headers {
            guard HTTPText.isToken(name) else { return "a header's name is not a token" }
            let lowercased = name.lowercased()
            let isReserved =
                Self.reserved.contains(lowercased) || lowercased.hasPrefix("sec-websocket-")
            guard !isReserved else { return "the header \(name) is reserved" }
            guard HTTPText.isFieldValue(value) else {
                return "the value of the header \(name) has control characters"
            }
        }
        guard request.subprotocols.allSatisfy({ HTTPText.isToken($0) }) else {
            return "a subprotocol is not a token"
        }
        return nil
    }

    /// The bytes to send for a request that has no problem.
    static func head(of request: WebSocketRequest, key: HandshakeKey) -> [UInt8] {
        var head = """
            GET \(request.requestTarget) HTTP/1.1\r
            Host: \(request.authority)\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Key: \(key.value)\r
            Sec-WebSocket-Version: 13\r\n
            """
        if !request.subprotocols.isEmpty {
            head += "Sec-WebSocket-Protocol: \(request.subprotocols.joined(separator: ", "))\r\n"
        }
        if let compression = request.compression {
            head += "Sec-WebSocket-Extensions: \(DeflateNegotiation.offer(compression))\r\n"
        }
        for (name, value) in request.headers {
            head += "\(name): \(value)\r\n"
        }
        head += "\r\n"
        return Array(head.utf8)
    }
}
