import NIOCore

/// Hears how the handshakes of one dial go; every call on the loop.
protocol HandshakeObserver: AnyObject {
    /// TLS is up; the request goes out now.
    func handshakeSecured()
    /// The server speaks WebSocket: give the handler its delegate, frames may follow at once.
    func handshakeUpgraded(subprotocol: String?)
    /// Last: nothing came of it, and the handler has cut the transport.
    func handshakeFailed(_ failure: HandshakeFailure)
}

extension WebSocketHandler {
    /// The transport is up: asks for the upgrade, or waits for TLS to ask then.
    func begin() {
        if case .upgrading = self.phase { self.sendRequest() }
    }

    func secured(context: ChannelHandlerContext) {
        self.phase = .upgrading(ResponseReader())
        self.observer?.handshakeSecured()
        self.sendRequest()
    }

    private func sendRequest() {
        guard let context = self.context else { return }
        let head = HandshakeRequest.head(of: self.request, key: self.key)
        let buffer = context.channel.allocator.buffer(bytes: head)
        context.writeAndFlush(WebSocketHandler.wrapOutboundOut(buffer), promise: nil)
    }

    /// Reads on in the answer; what follows its head in the same buffer are frames.
    func readAnswer(
        _ buffer: ByteBuffer,
        _ reader: ResponseReader,
        context: ChannelHandlerContext
    ) {
        var buffer = buffer
        var reader = reader
        do {
            let (consumed, head) = try buffer.withUnsafeReadableBytes { try reader.read($0) }
            guard let head else {
                self.phase = .upgrading(reader)
                return
            }
            let check = HandshakeCheck(
                key: self.key, subprotocols: self.request.subprotocols,
                requireSubprotocol: self.request.requireSubprotocol)
            let subprotocol = try check.accept(head)
            self.phase = .open
            let observer = self.observer.take()
            observer?.handshakeUpgraded(subprotocol: subprotocol)
            buffer.moveReaderIndex(forwardBy: consumed)
            if buffer.readableBytes > 0 { self.readFrames(buffer) }
        } catch let failure as HandshakeFailure {
            self.upgradeFailed(failure)
        } catch {
            self.upgradeFailed(HandshakeFailure(transport: error))
        }
    }

    func upgradeFailed(_ failure: HandshakeFailure) {
        self.phase = .closed
        let observer = self.observer.take()
        self.cut()
        observer?.handshakeFailed(failure)
    }

    /// The dial is given up: nothing more is told.
    func abandon() {
        self.phase = .closed
        self.observer = nil
        self.cut()
    }
}
