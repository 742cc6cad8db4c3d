import NIOCore
import NIOPosix
import NIOWebSocket

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One upgraded connection of the server: keeps RFC 6455, except where its script says otherwise.
final class FeedSession: ChannelInboundHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = ByteBuffer

    /// The largest frame accepted from a client.
    static let frameLimit = 64 * 1024 * 1024
    /// How long a client may take to answer a close frame.
    private static let closeTimeout: TimeAmount = .seconds(5)

    let path: String
    let log: FeedLog
    private let script: FeedScript
    private var context: ChannelHandlerContext?
    private var fragments: ByteBuffer?
    private var fragmentsAreText = false
    private var tasks: [RepeatedTask] = []
    private var hasSentClose = false

    init(script: FeedScript, path: String, log: FeedLog) {
        self.script = script
        self.path = path
        self.log = log
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// The answer to the handshake is on its way.
    func open() {
        if !self.script.reads {
            try? self.context?.channel.syncOptions?.setOption(.autoRead, value: false)
        }
        self.script.opened(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        for task in self.tasks { task.cancel() }
        self.tasks = []
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = FeedSession.unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .binary:
            self.fragmentsAreText = frame.opcode == .text
            self.fragments = frame.unmaskedData
            if frame.fin { self.complete() }
        case .continuation:
            var data = frame.unmaskedData
            self.fragments?.writeBuffer(&data)
            if frame.fin { self.complete() }
        case .ping:
            self.log.count(on: self.path) { $0.pingsReceived += 1 }
            if self.script.answersPings {
                self.write(ServerFrame.pong, Array(frame.unmaskedData.readableBytesView))
            }
        case .pong:
            self.log.count(on: self.path) { $0.pongsReceived += 1 }
        case .connectionClose:
            self.closeReceived(frame.unmaskedData)
        default:
            context.close(promise: nil)
        }
    }

    private func complete() {
        guard let data = self.fragments.take() else { return }
        self.log.count(on: self.path) { $0.messagesReceived += 1 }
        let message = FeedMessage(
            isText: self.fragmentsAreText, payload: Array(data.readableBytesView))
        self.script.received(self, message)
    }

    private func closeReceived(_ payload: ByteBuffer) {
        var payload = payload
        let code: UInt16? = payload.readInteger()
        self.log.closeReceived(on: self.path, code: code ?? 1005)
        guard self.script.answersClose else { return }
        guard let context = self.context else { return }
        if self.hasSentClose {
            context.close(promise: nil)
        } else {
            let answer = code.map { ServerFrame.closePayload(code: $0, reason: "") } ?? []
            self.hasSentClose = true
            self.write(ServerFrame.close, answer)
            context.close(promise: nil)
        }
    }
}

/// One message from a client.
struct FeedMessage: Sendable {
    var isText: Bool
    var payload: [UInt8]

    var text: String { String(decoding: self.payload, as: UTF8.self) }
}

// MARK: - What scripts may do

extension FeedSession {
    func send(_ text: String) {
        self.log.count(on: self.path) { $0.messagesSent += 1 }
        self.write(ServerFrame.text, Array(text.utf8))
    }

    func send(_ message: FeedMessage) {
        self.log.count(on: self.path) { $0.messagesSent += 1 }
        self.write(message.isText ? ServerFrame.text : ServerFrame.binary, message.payload)
    }

    func ping(_ payload: [UInt8]) {
        self.write(ServerFrame.ping, payload)
    }

    /// Sends a close frame; the client's answer ends the connection.
    func close(code: UInt16, reason: String) {
        guard !self.hasSentClose, let context = self.context else { return }
        self.hasSentClose = true
        self.write(ServerFrame.close, ServerFrame.closePayload(code: code, reason: reason))
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.closeTimeout) { channel.close(promise: nil) }
    }

    /// Ends TCP without a close frame.
    func drop() {
        self.context?.close(promise: nil)
    }

    /// Ends TCP with a reset.
    func reset() {
        guard let context = self.context else { return }
        if let socket = context.channel as? any SocketOptionProvider {
            _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        context.close(promise: nil)
    }

    /// Sends bytes that may be anything.
    func writeRaw(_ fill: (inout ByteBuffer) -> Void) {
        guard let context = self.context else { return }
        var buffer = context.channel.allocator.buffer(capacity: 64)
        fill(&buffer)
        context.writeAndFlush(FeedSession.wrapOutboundOut(buffer), promise: nil)
    }

    private func write(_ opcode: UInt8, _ payload: [UInt8]) {
        self.writeRaw { ServerFrame.write(opcode, payload, to: &$0) }
    }

    /// Does something once.
    func after(milliseconds: Int, _ body: @escaping (FeedSession) -> Void) {
        guard let context = self.context else { return }
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(milliseconds))) {
            if self.context != nil { body(self) }
        }
    }

    /// Does something again and again until the connection ends; not while the client is slow.
    ///
    /// - Parameter first: how long until the first time; the interval if not given.
    func every(
        _ interval: TimeAmount, first: TimeAmount? = nil,
        _ body: @escaping (FeedSession) -> Void
    ) {
        guard let context = self.context else { return }
        let bound = NIOLoopBound((self, body), eventLoop: context.eventLoop)
        let task = context.eventLoop.scheduleRepeatedTask(
            initialDelay: first ?? interval, delay: interval
        ) { _ in
            let (session, body) = bound.value
            if session.context?.channel.isWritable == true { body(session) }
        }
        self.tasks.append(task)
    }
}
