import NIOCore

/// What a connection compresses and inflates with.
final class ConnectionCompression {
    let inflater: MessageInflater
    let deflater: MessageDeflater
    var idleTimer: Scheduled<Void>?

    init(_ agreement: CompressionAgreement, threshold: Int) {
        self.inflater = MessageInflater(agreement)
        self.deflater = MessageDeflater(agreement, threshold: threshold)
    }

    var isAwake: Bool { self.inflater.isAwake || self.deflater.isAwake }

    /// Lets rest what was not used since the last time.
    func restIfIdle() {
        if !self.inflater.wasUsed { self.inflater.rest() }
        if !self.deflater.wasUsed { self.deflater.rest() }
        (self.inflater.wasUsed, self.deflater.wasUsed) = (false, false)
    }
}

extension WebSocketHandler {
    /// Puts what was agreed on in force, before the first frame is read.
    func useCompression(_ agreement: CompressionAgreement?, _ options: CompressionOptions?) {
        guard let agreement, let options else { return }
        let compression = ConnectionCompression(agreement, threshold: options.threshold)
        self.compression = compression
        self.decoder.inflater = compression.inflater
    }

    /// Sees to it that memory is given back in time: at the earliest after one
    /// `WebSocketLimits.compressionIdle`, at the latest after two.
    func compressionUsed() {
        guard let compression = self.compression, compression.isAwake,
            compression.idleTimer == nil, let context = self.context
        else { return }
        compression.idleTimer = context.eventLoop.assumeIsolated()
            .scheduleTask(in: TimeAmount(WebSocketLimits.compressionIdle)) {
                compression.idleTimer = nil
                compression.restIfIdle()
                self.compressionUsed()
            }
    }

    func dropCompression() {
        self.compression?.idleTimer?.cancel()
        self.compression = nil
        self.decoder.inflater = nil
    }
}
