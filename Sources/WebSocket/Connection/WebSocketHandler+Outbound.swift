import NIOCore

extension WebSocketHandler {
    /// Queues a message; it goes out with the burst's one write.
    func send(_ kind: WebSocketOpcode, _ payload: [UInt8], promise: EventLoopPromise<Void>?) {
        guard case .open = self.phase, self.closing.maySend else {
            promise?.fail(WebSocketError(.notOpen, "the connection is closing or closed"))
            return
        }
        if kind == .text {
            var utf8 = UTF8Validator()
            let isValid = payload.withUnsafeBytes { utf8.consume($0) } && utf8.isComplete
            guard isValid else {
                promise?.fail(WebSocketError(.invalidUTF8, "the text to send is not UTF-8"))
                return
            }
        }
        guard self.hasRoom(for: payload.count) else {
            let limit = WebSocketLimits.pendingWriteBytes
            promise?.fail(
                WebSocketError(.writeBufferFull, "more than \(limit) bytes wait to be written"))
            return
        }
        if let promise { self.outboundPromises.append(promise) }
        let opcode: FrameHeader.Opcode = kind == .text ? .text : .binary
        if let compressed = self.compression?.deflater.deflate(payload) {
            self.append(opcode, compressed, isCompressed: true)
            self.compressionUsed()
        } else {
            self.append(opcode, payload)
        }
    }

    func ping(_ payload: [UInt8]) {
        guard case .open = self.phase, self.closing.maySend else { return }
        self.append(.ping, Array(payload.prefix(WebSocketLimits.controlPayload)))
    }

    /// Answers a ping, at the latest when there is room for the answer.
    func sendPong(_ payload: [UInt8]) {
        guard self.closing.maySend else { return }
        if self.hasRoom(for: payload.count) {
            self.append(.pong, payload)
        } else {
            self.deferredPong = payload
        }
    }

    private func hasRoom(for payload: Int) -> Bool {
        let size = FrameEncoder.frameSize(payload: payload)
        return self.pendingWriteBytes == 0
            || self.pendingWriteBytes + size <= WebSocketLimits.pendingWriteBytes
    }

    /// Masks a frame into the burst.
    func append(_ opcode: FrameHeader.Opcode, _ payload: [UInt8], isCompressed: Bool = false) {
        guard let context = self.context else { return }
        let size = FrameEncoder.frameSize(payload: payload.count)
        if self.outbound.readableBytes == 0 {
            self.outbound = context.channel.allocator.buffer(capacity: size)
        }
        var generator = SystemRandomNumberGenerator()
        let key = UInt32(truncatingIfNeeded: generator.next())
        self.outbound.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { output in
            payload.withUnsafeBytes {
                FrameEncoder.encode(
                    opcode, payload: $0, isCompressed: isCompressed, key: key, into: output)
            }
        }
        self.pendingWriteBytes += size
        self.scheduleFlush(context: context)
    }

    /// One flush per read or turn of the loop, however many frames there are.
    private func scheduleFlush(context: ChannelHandlerContext) {
        guard !self.isInRead, !self.isFlushScheduled else { return }
        self.isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    /// Writes the burst.
    func flush() {
        guard self.outbound.readableBytes > 0, let context = self.context else { return }
        let buffer = self.outbound
        let promises = self.outboundPromises
        self.outbound = ByteBuffer()
        self.outboundPromises = []
        let written = context.eventLoop.makePromise(of: Void.self)
        let count = buffer.readableBytes
        written.futureResult.assumeIsolated().whenComplete { result in
            self.written(count, promises, result)
        }
        context.writeAndFlush(WebSocketHandler.wrapOutboundOut(buffer), promise: written)
    }

    private func written(
        _ count: Int,
        _ promises: [EventLoopPromise<Void>],
        _ result: Result<Void, any Error>
    ) {
        self.pendingWriteBytes -= count
        switch result {
        case .success:
            for promise in promises { promise.succeed() }
            if let payload = self.deferredPong.take() { self.sendPong(payload) }
        case .failure(let error):
            let error = WebSocketError(transport: error)
            for promise in promises { promise.fail(error) }
        }
    }

    /// Fails what will never be written.
    func discardOutbound() {
        let promises = self.outboundPromises
        self.outboundPromises = []
        self.pendingWriteBytes -= self.outbound.readableBytes
        self.outbound = ByteBuffer()
        self.deferredPong = nil
        for promise in promises {
            promise.fail(WebSocketError(.notOpen, "the connection ended before the write"))
        }
    }
}
