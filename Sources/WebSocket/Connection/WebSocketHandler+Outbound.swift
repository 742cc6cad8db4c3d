import NIOCore

/// What waits to be written.
struct PendingWrites {
    /// Frames that wait for the next flush.
    var burst = ByteBuffer()
    /// Of messages in it.
    var promises: [EventLoopPromise<Void>] = []
    /// Bytes not yet taken by the socket, in `burst` and behind it.
    var bytes = 0
    /// The pong to send when there is room again; a newer ping replaces it (RFC 6455, 5.5.3).
    var deferredPong: [UInt8]?

    var isEmpty: Bool { self.bytes == 0 && self.promises.isEmpty && self.deferredPong == nil }
}

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
        if let promise { self.promiseFlush(promise) }
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
            self.outbound?.deferredPong = payload
        }
    }

    private func hasRoom(for payload: Int) -> Bool {
        let size = FrameEncoder.frameSize(payload: payload)
        return self.pendingWriteBytes == 0
            || self.pendingWriteBytes + size <= WebSocketLimits.pendingWriteBytes
    }

    /// Bytes not yet taken by the socket.
    var pendingWriteBytes: Int { self.outbound?.bytes ?? 0 }

    /// Keeps a promise for the end of the next flush.
    func promiseFlush(_ promise: EventLoopPromise<Void>) {
        if self.outbound == nil { self.outbound = PendingWrites() }
        self.outbound?.promises.append(promise)
    }

    /// Masks a frame into the burst.
    func append(_ opcode: FrameHeader.Opcode, _ payload: [UInt8], isCompressed: Bool = false) {
        guard let context = self.context else { return }
        let size = FrameEncoder.frameSize(payload: payload.count)
        if self.outbound == nil { self.outbound = PendingWrites() }
        if self.outbound?.burst.readableBytes == 0 {
            self.outbound?.burst = context.channel.allocator.buffer(capacity: size)
        }
        var generator = SystemRandomNumberGenerator()
        let key = UInt32(truncatingIfNeeded: generator.next())
        self.outbound?.burst.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { output in
            payload.withUnsafeBytes {
                FrameEncoder.encode(
                    opcode, payload: $0, isCompressed: isCompressed, key: key, into: output)
            }
        }
        self.outbound?.bytes += size
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
        guard let context = self.context, let (buffer, promises) = self.takeBurst() else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        let count = buffer.readableBytes
        written.futureResult.assumeIsolated().whenComplete { result in
            self.written(count, promises, result)
        }
        context.writeAndFlush(WebSocketHandler.wrapOutboundOut(buffer), promise: written)
    }

    /// - Returns: nil if there are no frames to flush.
    private func takeBurst() -> (ByteBuffer, [EventLoopPromise<Void>])? {
        guard let outbound = self.outbound, outbound.burst.readableBytes > 0 else { return nil }
        self.outbound?.burst = ByteBuffer()
        self.outbound?.promises = []
        return (outbound.burst, outbound.promises)
    }

    private func written(
        _ count: Int,
        _ promises: [EventLoopPromise<Void>],
        _ result: Result<Void, any Error>
    ) {
        self.outbound?.bytes -= count
        let deferredPong = self.outbound?.deferredPong.take()
        if self.outbound?.isEmpty == true { self.outbound = nil }
        switch result {
        case .success:
            for promise in promises { promise.succeed() }
            if let deferredPong { self.sendPong(deferredPong) }
        case .failure(let error):
            let error = WebSocketError(transport: error)
            for promise in promises { promise.fail(error) }
        }
    }

    /// Fails what will never be written.
    func discardOutbound() {
        let promises = self.outbound?.promises ?? []
        self.outbound = nil
        for promise in promises {
            promise.fail(WebSocketError(.notOpen, "the connection ended before the write"))
        }
    }
}
