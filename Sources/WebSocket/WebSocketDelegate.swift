/// Who hears what happens on one connection.
///
/// Every call comes on the connection's event loop and never from within a call of yours into the
/// connection's `close` or `abort`, so a delegate may call back into the connection from any of
/// these. It need not be Sendable: it is made on the loop and stays there. The connection keeps it
/// until `webSocketClosed` has returned.
package protocol WebSocketDelegate {
    /// Tells what one read from the socket brought, once per read.
    /// - Parameters:
    ///   - segments: The messages completed by this read, in order; may be empty.
    ///   - bytes: The bytes of frames read, at least 1 (with TLS: after decryption).
    func webSocketReceived(_ segments: [MessageSegment], bytes: Int)

    /// Tells of a pong, asked for or not.
    func webSocketReceivedPong(_ payload: [UInt8])

    /// Tells how the connection ended: exactly once, last, when the socket is gone.
    func webSocketClosed(_ close: WebSocketClose)
}
