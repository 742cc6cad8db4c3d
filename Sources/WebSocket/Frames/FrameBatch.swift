/// What the frames of one read amount to.
struct FrameBatch: Sendable {
    enum Control: Sendable, Hashable {
        case ping([UInt8])
        case pong([UInt8])
    }

    /// Why no further frame is read from this connection.
    enum End: Sendable, Hashable {
        case close(CloseFrame)
        case failure(WebSocketError)
    }

    /// Completed messages in order.
    var segments: [MessageSegment] = []
    /// Pings and pongs in order; between them and the messages no order is kept.
    var controls: [Control] = []
    /// Set by the frame after which nothing counts; it follows all of the above.
    @Apart var end: End? = nil
}
