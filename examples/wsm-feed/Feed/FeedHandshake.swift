import NIOCore
import NIOHTTP1
import NIOWebSocket

/// Reads one HTTP request and answers as its path says: upgrade, another status, or not at all.
final class FeedHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let log: FeedLog
    private let defaultRate: Double
    private var head: HTTPRequestHead?

    init(decoder: ByteToMessageHandler<HTTPRequestDecoder>, log: FeedLog, defaultRate: Double) {
        self.decoder = decoder
        self.log = log
        self.defaultRate = defaultRate
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch FeedHandshake.unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            if let head = self.head.take() { self.answer(head, context: context) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        let request = FeedRequest(head, defaultRate: self.defaultRate)
        guard let path = FeedPath.all.first(where: { $0.path == request.path }) else {
            self.refuse(404, "Not Found", [], context: context)
            return
        }
        switch path.answer(request) {
        case .hang:
            break
        case .status(let status, let reason, let headers):
            self.refuse(status, reason, headers, context: context)
        case .upgrade(let script) where script.upgradeDelay > .zero:
            let bound = NIOLoopBound((self, context, script), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: script.upgradeDelay) {
                let (handshake, context, script) = bound.value
                handshake.upgrade(head, request, script, context: context)
            }
        case .upgrade(let script):
            self.upgrade(head, request, script, context: context)
        }
    }

    /// NIOWebSocket computes the answer's headers; the answer is written by hand, so that frames
    /// can share its write.
    private func upgrade(
        _ head: HTTPRequestHead,
        _ request: FeedRequest,
        _ script: FeedScript,
        context: ChannelHandlerContext
    ) {
        guard context.channel.isActive else { return }
        let upgrader = NIOWebSocketServerUpgrader(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        let headers = upgrader.buildUpgradeResponse(
            channel: context.channel, upgradeRequest: head, initialResponseHeaders: [:])
        headers
            .assumeIsolated()
            .flatMap { headers in
                context.pipeline.syncOperations.removeHandler(self.decoder).map { headers }
            }
            .whenComplete { result in
                switch result {
                case .success(let headers):
                    self.open(headers, request, script, context: context)
                case .failure:
                    self.refuse(
                        426, "Upgrade Required", [("Upgrade", "websocket")], context: context)
                }
            }
    }

    private func open(
        _ headers: HTTPHeaders,
        _ request: FeedRequest,
        _ script: FeedScript,
        context: ChannelHandlerContext
    ) {
        var answer = context.channel.allocator.buffer(capacity: 256)
        answer.writeString("HTTP/1.1 101 Switching Protocols\r\n")
        for (name, value) in headers { answer.writeString("\(name): \(value)\r\n") }
        if let subprotocol = script.subprotocol {
            answer.writeString("Sec-WebSocket-Protocol: \(subprotocol)\r\n")
        }
        answer.writeString("\r\n")
        script.firstFrames(&answer)
        self.log.opened(
            context.channel,
            FeedHandshakeRecord(
                time: .now, path: request.path, target: request.target, headers: request.headers))
        let session = FeedSession(script: script, path: request.path, log: self.log)
        do {
            let pipeline = context.pipeline.syncOperations
            try pipeline.addHandlers(
                ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: FeedSession.frameLimit)),
                session)
            context.writeAndFlush(FeedHandshake.wrapOutboundOut(answer), promise: nil)
            pipeline.removeHandler(self, promise: nil)
            session.open()
        } catch {
            context.close(promise: nil)
        }
    }

    private func refuse(
        _ status: Int,
        _ reason: String,
        _ headers: [(String, String)],
        context: ChannelHandlerContext
    ) {
        var answer = context.channel.allocator.buffer(capacity: 128)
        answer.writeString("HTTP/1.1 \(status) \(reason)\r\n")
        for (name, value) in headers { answer.writeString("\(name): \(value)\r\n") }
        answer.writeString("Content-Length: 0\r\nConnection: close\r\n\r\n")
        let channel = context.channel
        context.writeAndFlush(FeedHandshake.wrapOutboundOut(answer)).whenComplete { _ in
            channel.close(promise: nil)
        }
    }
}
