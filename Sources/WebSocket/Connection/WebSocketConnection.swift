package import NIOCore

/// One open WebSocket connection.
///
/// May be held and called from anywhere; everything happens on its loop, where the calls take
/// effect in the order they were made. What can be asked is asked on the loop only. What arrives goes
/// to the delegate given to the dial; the connection ends with `webSocketClosed`, and only then is the
/// socket gone.
///
/// A value, for each of very many: the handler is the connection.
package struct WebSocketConnection: Sendable {
    private let handler: NIOLoopBound<WebSocketHandler>

    /// On the loop only.
    init(handler: WebSocketHandler, loop: any EventLoop) {
        self.handler = NIOLoopBound(handler, eventLoop: loop)
    }

    package var eventLoop: any EventLoop { self.handler.eventLoop }

    /// The subprotocol the server chose. On the loop only.
    package var subprotocol: String? { self.handler.value.agreement?.subprotocol }

    /// How messages are compressed; nil when they are not. On the loop only.
    package var compression: CompressionAgreement? { self.handler.value.agreement?.compression }

    /// The address in use, for example `192.0.2.7:443`; nil when the socket is gone. On the loop only.
    package var remoteAddress: String? {
        self.handler.value.context?.channel.remoteAddress.flatMap(Self.text)
    }

    /// Whether a frame has arrived in part. On the loop only.
    package var isMidFrame: Bool {
        let handler = self.handler.value
        return handler.decoder.isMidFrame || handler.hasFrameBegun
    }

    /// Whether the socket takes more without queueing. On the loop only.
    package var isWritable: Bool { self.handler.value.context?.channel.isWritable ?? false }

    /// Bytes of frames that wait for the socket. On the loop only.
    package var pendingWriteBytes: Int { self.handler.value.pendingWriteBytes }

    /// Sends one message in one frame; all messages of a turn of the loop go out in one write.
    /// - Parameter promise: Succeeds when the socket has taken the message. Fails with a
    ///   `WebSocketError`: `notOpen`, `writeBufferFull` (see `WebSocketLimits.pendingWriteBytes`),
    ///   `invalidUTF8` for a text that is none, or what the transport said.
    package func send(
        _ kind: WebSocketOpcode,
        _ payload: [UInt8],
        promise: EventLoopPromise<Void>? = nil
    ) {
        self.onLoop { $0.send(kind, payload, promise: promise) }
    }

    /// Sends a ping; the answer comes to `webSocketReceivedPong`.
    /// - Parameter payload: At most 125 bytes, cut there.
    package func ping(_ payload: [UInt8]) {
        self.onLoop { $0.ping(payload) }
    }

    /// Begins the close handshake; of no effect when the connection is ending already.
    ///
    /// Messages sent before go out before. Waits the close timeout for the peer's close frame, then
    /// `WebSocketLimits.closeGrace` for the server to end TCP, then cuts. Messages that arrive
    /// until then are still delivered, even when reading was paused.
    /// - Parameters:
    ///   - code: 1000-1003, 1007-1014 or 3000-4999; 1000 is sent for any other.
    ///   - reason: At most 123 bytes of UTF-8, cut there.
    package func close(code: UInt16, reason: String) {
        self.onLoop { $0.close(code: code, reason: reason) }
    }

    /// Cuts the connection now: no close frame, no TLS goodbye.
    package func abort() {
        self.onLoop { $0.abort() }
    }

    /// Pauses reading or goes on with it.
    ///
    /// While paused, at most what is already in this process still comes to the delegate; the rest
    /// waits in the kernel and slows the peer. When the peer ends the transport meanwhile, what the
    /// kernel holds is delivered with the end.
    package func setReading(_ isOn: Bool) {
        self.onLoop { $0.setReading(isOn) }
    }

    /// Has the socket read until it is empty, for 2 ms at most, and what that brings copied past the
    /// processor's caches; or once, no more than ``WebSocketLimits/shallowRead``, and plainly copied,
    /// as at first. Deep reads cost the least. They are for messages that are kept and not looked at
    /// soon. Through TLS a deep read is one of 256 KiB.
    package func setDeepReads(_ isOn: Bool) {
        self.onLoop { $0.setDeepReads(isOn) }
    }

    /// While paused, reads the socket once, at most ``WebSocketLimits/shallowRead`` unless reads are
    /// deep: pings and pongs among the bytes are dealt with, messages go to the delegate.
    package func readOnce() {
        self.onLoop { $0.readOnce() }
    }

    /// Changes the largest message accepted, from the next message on.
    package func setMaxMessageSize(_ bytes: Int) {
        self.onLoop { $0.decoder.maxMessageSize = bytes }
    }

    /// Changes the fewest bytes that are worth compressing; of no effect where nothing is compressed.
    package func setCompressionThreshold(_ bytes: Int) {
        self.onLoop { $0.compression?.deflater.threshold = bytes }
    }

    /// Changes the wait for the peer's close frame, from the next close on.
    package func setCloseTimeout(_ timeout: Duration) {
        self.onLoop { $0.closeTimeout = TimeAmount(timeout) }
    }

    private func onLoop(_ body: @escaping @Sendable (WebSocketHandler) -> Void) {
        if self.eventLoop.inEventLoop {
            body(self.handler.value)
        } else {
            self.eventLoop.execute { body(self.handler.value) }
        }
    }

    private static func text(of address: SocketAddress) -> String? {
        guard let ip = address.ipAddress, let port = address.port else { return nil }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }
}
