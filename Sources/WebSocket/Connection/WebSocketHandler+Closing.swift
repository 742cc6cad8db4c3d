import NIOCore

extension WebSocketHandler {
    func close(code: UInt16, reason: String) {
        guard case .open = self.phase else { return }
        self.perform(self.closing.closeRequested(CloseFrame(sending: code, reason: reason)))
    }

    func abort() {
        guard case .open = self.phase else { return }
        self.perform(self.closing.aborted())
    }

    /// Does what the close handshake asks for.
    func perform(_ action: CloseHandshake.Action) {
        switch action {
        case .none:
            break
        case .sendAndAwaitPeer(let frame):
            self.append(.close, frame.payload)
            self.readToTheEnd()
            self.startCloseTimer(self.closeTimeout)
        case .sendAndFinish(let frame):
            self.append(.close, frame.payload)
            self.readToTheEnd()
            self.startCloseTimer(self.closeTimeout)
            self.finishAfterFlush()
        case .awaitTransportEnd:
            self.startCloseTimer(TimeAmount(WebSocketLimits.closeGrace))
        case .cut:
            self.cut()
        }
    }

    /// The peer's close frame, or its end of the transport, must be found although the owner had
    /// paused.
    private func readToTheEnd() {
        self.isReadingPaused = false
        self.applyReading()
    }

    /// Ends our direction once the close frame is on its way, and waits for the peer's end.
    private func finishAfterFlush() {
        guard let context = self.context else { return }
        let flushed = context.eventLoop.makePromise(of: Void.self)
        flushed.futureResult.assumeIsolated().whenSuccess {
            self.startCloseTimer(TimeAmount(WebSocketLimits.closeGrace))
            self.context?.close(mode: .output, promise: nil)
        }
        self.promiseFlush(flushed)
    }

    private func startCloseTimer(_ wait: TimeAmount) {
        self.closeTimer?.cancel()
        guard let context = self.context else { return }
        self.closeTimer = context.eventLoop.assumeIsolated().scheduleTask(in: wait) {
            self.perform(self.closing.deadlinePassed())
        }
    }

    /// The channel is gone: tells the delegate, not from within a call of its own.
    func ended() {
        self.phase = .closed
        self.closeTimer?.cancel()
        self.closeTimer = nil
        self.dropCompression()
        self.discardOutbound()
        let (segments, bytes) = self.takeRead()
        let close = self.closing.transportEnded(self.transportError)
        guard let close, let context = self.context else { return }
        context.eventLoop.assumeIsolated().execute {
            // Asked for here: the end may come while the delegate is being made.
            let delegate = self.delegate.take()
            if bytes > 0 { delegate?.webSocketReceived(segments, bytes: bytes) }
            delegate?.webSocketClosed(close)
        }
    }
}
