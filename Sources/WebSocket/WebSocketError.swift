/// What went wrong on an open connection, or with one send.
package struct WebSocketError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// The peer broke RFC 6455; it is told 1002.
        case protocolViolation
        /// A text message or close reason was not UTF-8; the peer is told 1007.
        case invalidUTF8
        /// A message was larger than `maxMessageSize`; the peer is told 1009.
        case messageTooBig
        /// A compressed message could not be inflated; the peer is told 1007.
        case badCompression
        /// The transport failed.
        case connectionReset
        /// The peer ended the transport without a close frame.
        case connectionClosed
        /// The peer did not answer the close frame in time.
        case closeTimedOut
        /// The TLS layer failed after the handshake.
        case tlsFailure
        /// Too many bytes wait to be written; nothing was queued.
        case writeBufferFull
        /// The connection is closing or closed; nothing was sent.
        case notOpen
        /// `abort()` was called.
        case aborted
    }

    package var code: Code
    /// One line for an operator; no payload.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(self.code.rawValue): \(self.message)" }

    /// The close code that tells the peer, where there is one.
    var closeCode: UInt16? {
        switch self.code {
        case .protocolViolation: CloseCode.protocolError
        case .invalidUTF8, .badCompression: CloseCode.invalidPayload
        case .messageTooBig: CloseCode.messageTooBig
        case .connectionReset, .connectionClosed, .closeTimedOut, .tlsFailure, .writeBufferFull,
            .notOpen, .aborted:
            nil
        }
    }
}
