/// How a connection ended, with what both sides said.
package struct WebSocketClose: Sendable, Hashable {
    /// Who began the end.
    package enum Initiator: String, Sendable, Hashable {
        /// We sent the first close frame, or cut.
        case local
        /// The peer sent the first close frame.
        case remote
        /// The transport ended with no close frame from either side.
        case transport
    }

    /// The code we sent; nil when we sent no close frame, or one without a code.
    package var sentCode: UInt16?
    package var sentReason: String
    /// The peer's code; nil when it sent no close frame (1006), or one without a code (1005).
    package var receivedCode: UInt16?
    package var receivedReason: String
    package var initiator: Initiator
    /// Nil after a close handshake without fault.
    package var error: WebSocketError?
    /// Whether both close frames were exchanged without fault.
    package var wasClean: Bool

    package init(
        sentCode: UInt16? = nil,
        sentReason: String = "",
        receivedCode: UInt16? = nil,
        receivedReason: String = "",
        initiator: Initiator,
        error: WebSocketError? = nil,
        wasClean: Bool
    ) {
        self.sentCode = sentCode
        self.sentReason = sentReason
        self.receivedCode = receivedCode
        self.receivedReason = receivedReason
        self.initiator = initiator
        self.error = error
        self.wasClean = wasClean
    }
}
