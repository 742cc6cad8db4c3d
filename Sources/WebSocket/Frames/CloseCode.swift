/// The close codes of RFC 6455, 7.4 and of the registry of codes.
enum CloseCode {
    static let normal: UInt16 = 1000
    static let protocolError: UInt16 = 1002
    static let invalidPayload: UInt16 = 1007
    static let messageTooBig: UInt16 = 1009

    /// Whether a code may be in a close frame.
    ///
    /// 1004 is reserved, 1005, 1006 and 1015 stand for the absence of a frame, 1012-1014 are
    /// registered since; 1016-2999 are unassigned, 5000 and above do not exist.
    static func isAllowedOnTheWire(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// What a close frame says; no code when the frame is empty.
struct CloseFrame: Sendable, Hashable {
    var code: UInt16?
    var reason: String

    static let empty = CloseFrame(code: nil, reason: "")

    /// A frame to send: a code that must not be on the wire becomes 1000, a reason that is too
    /// long is cut between two characters.
    init(sending code: UInt16, reason: String) {
        self.code = CloseCode.isAllowedOnTheWire(code) ? code : CloseCode.normal
        var reason = reason
        while reason.utf8.count > WebSocketLimits.closeReason {
            reason.unicodeScalars.removeLast()
        }
        self.reason = reason
    }

    private init(code: UInt16?, reason: String) {
        self.code = code
        self.reason = reason
    }

    /// Reads a received payload (RFC 6455, 5.5.1).
    init(parsing payload: [UInt8]) throws(WebSocketError) {
        if payload.isEmpty {
            self = .empty
            return
        }
        guard payload.count >= 2 else {
            throw WebSocketError(.protocolViolation, "close frame with a payload of one byte")
        }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard CloseCode.isAllowedOnTheWire(code) else {
            throw WebSocketError(.protocolViolation, "close frame with the code \(code)")
        }
        guard let reason = String(validating: payload[2...], as: UTF8.self) else {
            throw WebSocketError(.invalidUTF8, "close reason is not UTF-8")
        }
        self.init(code: code, reason: reason)
    }

    /// The payload on the wire.
    var payload: [UInt8] {
        guard let code else { return [] }
        return [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)]
            + Array(self.reason.utf8)
    }
}
