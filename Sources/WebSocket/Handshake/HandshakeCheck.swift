/// What both sides speak from now on.
struct HandshakeAgreement: Sendable, Hashable {
    /// The subprotocol the server chose.
    var subprotocol: String?
    /// Nil when messages go uncompressed.
    var compression: CompressionAgreement?

    /// Nothing was agreed on but WebSocket itself.
    var isEmpty: Bool { self.subprotocol == nil && self.compression == nil }
}

/// Decides whether an answer opens the connection (RFC 6455, 4.1).
struct HandshakeCheck: Sendable {
    var key: HandshakeKey
    var subprotocols: [String]
    var requireSubprotocol: Bool
    /// What was offered about compression; nil when nothing was.
    var compression: CompressionOptions?

    /// Checks the answer.
    func accept(_ head: ResponseHead) throws(HandshakeFailure) -> HandshakeAgreement {
        guard head.status == 101 else { throw Self.otherStatus(head) }
        guard head.lists("websocket", in: "upgrade") else {
            throw .badHandshake("the answer is 101 without Upgrade: websocket")
        }
        guard head.lists("upgrade", in: "connection") else {
            throw .badHandshake("the answer is 101 without Connection: Upgrade")
        }
        guard head.values(of: "sec-websocket-accept") == [self.key.accept] else {
            throw .badHandshake("the answer's Sec-WebSocket-Accept is missing or wrong")
        }
        let compression = try DeflateNegotiation.accept(
            head.values(of: "sec-websocket-extensions"), offered: self.compression)
        return HandshakeAgreement(
            subprotocol: try self.subprotocol(chosenIn: head), compression: compression)
    }

    private func subprotocol(chosenIn head: ResponseHead) throws(HandshakeFailure) -> String? {
        let chosen = head.values(of: "sec-websocket-protocol")
        guard let first = chosen.first else {
            guard !self.requireSubprotocol else {
                throw .subprotocol("the server chose no subprotocol and one is required")
            }
            return nil
        }
        guard chosen.count == 1, self.subprotocols.contains(first) else {
            let name = HTTPText.printable(first, limit: 64)
            throw .subprotocol("the server chose the subprotocol \(name), which was not offered")
        }
        return first
    }

    /// What an answer other than 101 says.
    private static func otherStatus(_ head: ResponseHead) -> HandshakeFailure {
        var message = "HTTP \(head.status)"
        let reason = HTTPText.printable(HTTPText.trim(head.reason), limit: 64)
        if !reason.isEmpty { message += " \(reason)" }
        var failure = HandshakeFailure(
            code: .httpStatus, httpStatus: head.status,
            retryAfter: RetryAfter.duration(in: head), message: message)
        if (300..<400).contains(head.status), let location = head.values(of: "location").first {
            failure.location = location
            // Neither a query nor user information belongs into a message.
            let target = location.prefix { $0 != "?" && $0 != "#" }
            let shown =
                target.contains("@") ? "another place" : HTTPText.printable(target, limit: 200)
            failure.message += ", redirects to \(shown)"
        }
        return failure
    }
}
