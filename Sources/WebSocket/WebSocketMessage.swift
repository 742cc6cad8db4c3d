/// The kind of a data message; the raw value is the opcode on the wire (RFC 6455, 11.8).
package enum WebSocketOpcode: UInt8, Sendable, Hashable {
    case text = 1
    case binary = 2
}

/// One whole message, fragments joined; the payload of a text message is valid UTF-8.
package struct WebSocketMessage: Sendable, Hashable {
    package var kind: WebSocketOpcode
    package var payload: [UInt8]

    package init(kind: WebSocketOpcode, payload: [UInt8]) {
        self.kind = kind
        self.payload = payload
    }
}
