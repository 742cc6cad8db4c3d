import NIOCore
import NIOSSL
import NIOTLS

/// The one handler of a connection: upgrade, frames in both directions, closing handshake.
///
/// It reads frames straight out of the socket's buffer; no frame travels through the pipeline.
/// Budget of the receive path: one call of the decoder per buffer, one call of the delegate per
/// read, two allocations for a row of messages of one kind and none per message. What it decides is
/// decided by machines without NIO (`ResponseReader`, `FrameDecoder`, `CloseHandshake`); the parts
/// of the handler are in `WebSocketHandler+Upgrade`, `+Inbound`, `+Outbound`, `+Compression` and
/// `+Closing`.
/// Confined to its loop.
final class WebSocketHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// TLS is shaking hands; the upgrade follows.
        case securing(PendingUpgrade)
        case upgrading(PendingUpgrade)
        case open
        /// The dial failed or the connection ended: nothing is read or told any more.
        case closed
    }

    var phase: Phase
    var delegate: (any WebSocketDelegate)?
    var context: ChannelHandlerContext?

    /// Nil where nothing was agreed on.
    @Apart var agreement: HandshakeAgreement? = nil

    // Inbound.
    var decoder: FrameDecoder
    var batch = FrameBatch()
    /// Bytes of frames since the last hand-over.
    var bytesRead = 0
    var isFlushScheduled = false
    /// Between a read and its completion, flushes wait for the latter.
    var isInRead = false
    var isReadingPaused = false
    /// Whether a deep read ended within a frame that the decoder has not got yet.
    var hasFrameBegun = false
    /// Whether the bytes come straight from the socket, in the loop's buffer, and not through TLS.
    let readsSharedBuffer: Bool

    // Outbound.
    /// Nil while nothing waits to be written, as mostly.
    @Apart var outbound: PendingWrites? = nil

    /// Nil where messages go as they are.
    var compression: ConnectionCompression?

    // Closing.
    var closing = CloseHandshake()
    var closeTimeout: TimeAmount
    @Apart var closeTimer: Scheduled<Void>? = nil
    /// What the transport said last before it ended.
    @Apart var transportError: WebSocketError? = nil

    init(request: WebSocketRequest, key: HandshakeKey, observer: any HandshakeObserver) {
        let upgrade = PendingUpgrade(request: request, key: key, observer: observer)
        self.readsSharedBuffer = !request.isSecure
        self.phase = request.isSecure ? .securing(upgrade) : .upgrading(upgrade)
        self.decoder = FrameDecoder(maxMessageSize: request.maxMessageSize)
        self.closeTimeout = TimeAmount(request.closeTimeout)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .securing(let upgrade) = self.phase, let event = event as? TLSUserEvent,
            case .handshakeCompleted = event
        {
            self.secured(upgrade)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = WebSocketHandler.unwrapInboundIn(data)
        self.isInRead = true
        switch self.phase {
        case .open: self.read(buffer)
        case .upgrading(let upgrade): self.readAnswer(buffer, upgrade)
        case .securing, .closed: break
        }
        if self.readsSharedBuffer { ReadBuffer.ofThisLoop.giveBack(buffer) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.deliver()
        self.isInRead = false
        self.flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch self.phase {
        case .securing(let upgrade), .upgrading(let upgrade):
            self.fail(upgrade, HandshakeFailure(transport: error))
        case .open:
            if self.transportError == nil {
                self.transportError = WebSocketError(transport: error)
            }
            self.cut()
        case .closed:
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        switch self.phase {
        case .securing(let upgrade), .upgrading(let upgrade):
            self.fail(
                upgrade,
                HandshakeFailure(code: .reset, message: "closed by the server without an answer"))
        case .open:
            self.ended()
        case .closed:
            break
        }
    }

    /// Ends the transport now, without TLS's goodbye.
    func cut() {
        guard let context = self.context else { return }
        let pipeline = context.pipeline.syncOperations
        if let tls = try? pipeline.context(handlerType: NIOSSLClientHandler.self) {
            tls.close(mode: .all, promise: nil)
        } else {
            context.close(mode: .all, promise: nil)
        }
    }
}
