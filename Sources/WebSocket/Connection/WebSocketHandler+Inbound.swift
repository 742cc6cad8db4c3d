import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension WebSocketHandler {
    /// Takes a read of the channel.
    func read(_ buffer: ByteBuffer) {
        guard self.takesFrames else { return }
        let mayBeMore = self.readsSharedBuffer && buffer.writableBytes == 0
        buffer.withUnsafeReadableBytes { bytes in
            self.bytesRead += bytes.count
            if mayBeMore, self.hasDeepReads {
                self.readOn(after: bytes)
            } else {
                self.readFrames(bytes)
            }
        }
    }

    /// Decodes every frame of a read; control frames are answered here, messages wait for `deliver`.
    ///
    /// - Returns: Bytes taken, as the decoder says.
    @discardableResult
    private func readFrames(_ bytes: UnsafeRawBufferPointer, leavingUpTo most: Int = 0) -> Int {
        guard self.takesFrames else { return bytes.count }
        // In place, once per read: a copy of the decoder would copy the message it assembles.
        let taken = self.decoder.decode(bytes, into: &self.batch, leavingUpTo: most)
        if self.compression != nil { self.compressionUsed() }
        if !self.batch.controls.isEmpty { self.answerControls() }
        if self.batch.end != nil {
            self.deliver()
            self.handleEnd()
        }
        return taken
    }

    private var takesFrames: Bool {
        guard case .open = self.phase else { return false }
        return !self.decoder.hasEnded
    }

    private func answerControls() {
        let controls = self.batch.controls
        self.batch.controls = []
        for control in controls {
            switch control {
            case .ping(let payload): self.sendPong(payload)
            case .pong(let payload): self.delegate?.webSocketReceivedPong(payload)
            }
        }
    }

    /// Hands over what was read since the last time.
    func deliver() {
        let (segments, bytes) = self.takeRead()
        if bytes > 0 { self.delegate?.webSocketReceived(segments, bytes: bytes) }
    }

    func takeRead() -> (segments: [MessageSegment], bytes: Int) {
        defer {
            self.batch.segments = []
            self.bytesRead = 0
        }
        return (self.batch.segments, self.bytesRead)
    }

    private func handleEnd() {
        switch self.batch.end.take() {
        case .close(let frame): self.perform(self.closing.closeFrameReceived(frame))
        case .failure(let error): self.perform(self.closing.failed(error))
        case nil: break
        }
    }

    // MARK: - Pausing

    /// Pauses or goes on; while paused the socket is read by `readOnce` only.
    ///
    /// A connection that is closing reads on, or the peer's close frame would never be found.
    func setReading(_ isOn: Bool) {
        guard case .open = self.phase, self.closing.maySend, self.isReadingPaused == isOn else {
            return
        }
        self.isReadingPaused = !isOn
        self.applyReading()
    }

    func applyReading() {
        let options = self.context?.channel.syncOptions
        // This fails only on a channel that is closed, whose end is told by other means.
        try? options?.setOption(.autoRead, value: !self.isReadingPaused)
    }

    func setDeepReads(_ isOn: Bool) {
        guard case .open = self.phase else { return }
        self.decoder.copiesPastCaches = isOn
        // This too fails only on a channel that is closed.
        try? self.context?.channel.syncOptions?.setOption(
            .recvAllocator, value: SharedReadAllocator(deep: isOn))
    }

    func readOnce() {
        guard case .open = self.phase, self.isReadingPaused else { return }
        self.context?.read()
    }

    // MARK: - Deep reads

    /// What they bring is all that is copied past the caches.
    private var hasDeepReads: Bool { self.decoder.copiesPastCaches }

    /// After a read that had no room for all there was: reads on until the socket is empty, past the
    /// channel, which would keep a buffer for each read of a turn. The end of the transport is left
    /// to the channel, which finds it again.
    ///
    /// A frame that ends beyond a read is moved to the front and read on behind it.
    private func readOn(after bytes: UnsafeRawBufferPointer) {
        let memory = ReadBuffer.ofThisLoop.deep
        var begun = self.takeFull(bytes, to: memory)
        // This fails only on a channel that is closed, as well.
        try? self.context?.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { socket in
            let end = NIODeadline.now() + TimeAmount(WebSocketLimits.deepTurn)
            while self.mayReadOn, NIODeadline.now() < end {
                let room = UnsafeMutableRawBufferPointer(rebasing: memory[begun...])
                let count = recv(socket, room.baseAddress, room.count, 0)
                guard count > 0 else {
                    if count < 0 { self.readFailed(errno) }
                    return
                }
                self.bytesRead += count
                let read = UnsafeRawBufferPointer(rebasing: memory[..<(begun + count)])
                begun = 0
                guard count == room.count else {
                    self.readFrames(read)
                    return
                }
                begun = self.takeFull(read, to: memory)
            }
        }
        self.readFrames(UnsafeRawBufferPointer(rebasing: memory[..<begun]))
        self.hasFrameBegun = false
    }

    /// Takes what a read filled the buffer with, and hands it over.
    ///
    /// - Returns: Bytes of a frame that goes on; they are at the front of `memory` now.
    private func takeFull(
        _ bytes: UnsafeRawBufferPointer,
        to memory: UnsafeMutableRawBufferPointer
    ) -> Int {
        let taken = self.readFrames(bytes, leavingUpTo: memory.count)
        memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[taken...]))
        self.hasFrameBegun = taken < bytes.count
        self.deliver()
        return bytes.count - taken
    }

    private var mayReadOn: Bool {
        guard self.takesFrames, self.hasDeepReads, !self.isReadingPaused else { return false }
        // What was read may have ended the connection, and its descriptor is another's then.
        return self.context?.channel.isActive ?? false
    }

    private func readFailed(_ code: CInt) {
        guard code != EAGAIN, code != EINTR, let context = self.context else { return }
        self.errorCaught(context: context, error: IOError(errnoCode: code, reason: "recv"))
    }
}
