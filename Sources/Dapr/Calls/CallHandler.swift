import GRPCCore
import NIOCore

/// The shell around a ``CallConnection``: one channel, all of it on its event loop.
///
/// What happens within one turn of the loop goes out in one write: answers of one read wake their
/// tasks, whose next calls are made before the write that stands behind them.
final class CallHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Event {
        /// The peer takes calls.
        case opened
        /// There may be room where there was none.
        case room
        /// No calls begin here any more; those under way end.
        case draining
        case closed(RPCError)
    }

    private let tell: (CallHandler, Event) -> Void
    private var connection: CallConnection<PendingCall>
    private var context: ChannelHandlerContext?
    private var timer = WakeTimer()
    private var isFlushDue = false
    private var told = CallConnection<PendingCall>.Phase.opening

    /// Bytes of a buffer that is kept for the next turn.
    private static let keptBytes = 64 << 10

    /// - Parameters:
    ///   - now: Of the event loop.
    ///   - tell: Called on the event loop.
    init(
        _ fixed: RequestHead.Fixed, now: NIODeadline,
        tell: @escaping (CallHandler, Event) -> Void
    ) {
        connection = CallConnection(fixed, now: now)
        self.tell = tell
    }

    var hasRoom: Bool {
        connection.hasRoom && context?.channel.isWritable == true
    }

    private var now: NIODeadline { context?.eventLoop.now ?? .now() }

    // MARK: Calls

    /// Begins a call; ``hasRoom`` must be true.
    func start(_ call: PendingCall, now: NIODeadline) {
        let stream = connection.start(
            call, call.method, call.message, deadline: call.deadline, now: now)
        call.message = ByteBuffer()
        call.place = .open(self, stream: stream)
        flushSoon()
    }

    func cancel(_ stream: UInt32) {
        connection.cancel(stream, now: now)
        settle()
    }

    /// Lets calls under way end, then closes.
    func drain() {
        connection.drain()
        settle()
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { settle() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        settle()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.receive(CallHandler.unwrapInboundIn(data), now: now)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        settle()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { tell(self, .room) }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(RPCError(code: .unavailable, message: "the connection failed", cause: error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(RPCError(code: .unavailable, message: "it closed the connection"))
        context.fireChannelInactive()
    }

    private func end(_ error: RPCError) {
        connection.end(error, now: now)
        settle()
    }

    // MARK: After each of these

    private func flushSoon() {
        arm()
        guard !isFlushDue, let context else { return }
        isFlushDue = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushDue = false
            self.flush()
        }
    }

    private func flush() {
        guard let context, context.channel.isActive, connection.output.readableBytes > 0 else {
            return
        }
        // Whoever reads what we reply may ask for more.
        if context.channel.isWritable { connection.owedReplies = 0 }
        var output = ByteBuffer()
        swap(&output, &connection.output)
        context.writeAndFlush(CallHandler.wrapOutboundOut(output), promise: nil)
        // It is written by now, but for a slow peer; then this makes another one.
        guard output.capacity <= Self.keptBytes, connection.output.readableBytes == 0 else {
            return
        }
        output.clear()
        connection.output = output
    }

    /// Tells what came of the machine, and writes what it has to say.
    private func settle() {
        let answers = connection.takeAnswers()
        for (call, answer) in answers { call.answer(answer) }
        flush()
        arm()
        tellPhase()
        closeIfOver()
    }

    private func tellPhase() {
        let phase = connection.phase
        guard told != phase else {
            if phase == .open { tell(self, .room) }
            return
        }
        told = phase
        switch phase {
        case .opening: break
        case .open: tell(self, .opened)
        case .draining: tell(self, .draining)
        case .closed(let error): tell(self, .closed(error))
        }
    }

    private func closeIfOver() {
        guard let context, connection.isOver else { return }
        timer.cancel()
        if connection.phase == .draining {
            connection.output.writeGoAway(.none)
            flush()
        }
        context.close(promise: nil)
    }

    private func arm() {
        guard let context, let wakeAt = connection.wakeAt else { return }
        timer.arm(wakeAt, on: context.eventLoop) {
            self.timer.cancel()
            self.connection.tick(now: self.now)
            self.settle()
        }
    }
}
