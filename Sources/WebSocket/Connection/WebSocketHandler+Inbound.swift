import NIOCore

extension WebSocketHandler {
    /// Decodes every frame of a buffer; control frames are answered here, messages wait for
    /// `deliver`.
    func readFrames(_ buffer: ByteBuffer) {
        guard case .open = self.phase, !self.decoder.hasEnded else { return }
        self.bytesRead += buffer.readableBytes
        // In place, once per buffer: a copy of the decoder would copy the message it assembles.
        buffer.withUnsafeReadableBytes { self.decoder.decode($0, into: &self.batch) }
        if self.compression != nil { self.compressionUsed() }
        if !self.batch.controls.isEmpty { self.answerControls() }
        if self.batch.end != nil {
            self.deliver()
            self.handleEnd()
        }
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
}
