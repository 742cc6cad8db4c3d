/// Why an answer is no WebSocket handshake; the dial adds where it was.
struct HandshakeFailure: Error, Sendable, Hashable {
    var code: WebSocketDialError.Code
    var httpStatus: Int?
    var location: String?
    var retryAfter: Duration?
    var message: String

    static let notPermitted = HandshakeFailure(
        code: .notPermitted, message: "the dial may not go on")

    static func badHandshake(_ message: String) -> HandshakeFailure {
        HandshakeFailure(code: .badHandshake, message: message)
    }

    static func compression(_ message: String) -> HandshakeFailure {
        HandshakeFailure(code: .compression, message: message)
    }

    static func subprotocol(_ message: String) -> HandshakeFailure {
        HandshakeFailure(code: .subprotocol, message: message)
    }
}
