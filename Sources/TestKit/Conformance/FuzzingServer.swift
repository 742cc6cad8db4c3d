import Crypto
package import NIOCore
import NIOPosix
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A WebSocket server on loopback that plays a case of the catalogue to each client that connects.
///
/// The path names the case: `/5.19`. What came of it is told by `verdict(of:)`, once for each
/// connection. Everything is on one loop.
package final class FuzzingServer: Sendable {
    /// What came of a case: nil when the client did all right, else the first fault.
    package typealias Verdict = String?

    /// A case that takes longer has failed. Only broken code waits so long.
    static let deadline: TimeAmount = .seconds(60)
    /// How long a pause of a script lasts.
    static let pause: TimeAmount = .milliseconds(40)

    package let port: Int
    private let channel: any Channel
    private let board: Board

    /// Who waits for which verdict.
    final class Board: Sendable {
        private let waiting = Mutex<[String: EventLoopPromise<Verdict>]>([:])

        func register(_ id: String, _ promise: EventLoopPromise<Verdict>) {
            self.waiting.withLock { $0[id] = promise }
        }

        func tell(_ id: String, _ verdict: Verdict) {
            self.waiting.withLock { $0.removeValue(forKey: id) }?.succeed(verdict)
        }
    }

    private init(channel: any Channel, port: Int, board: Board) {
        self.channel = channel
        self.port = port
        self.board = board
    }

    package static func start(
        _ cases: [ConformanceCase],
        on group: any EventLoopGroup
    ) async throws -> FuzzingServer {
        let byID = Dictionary(uniqueKeysWithValues: cases.map { ($0.id, $0) })
        let board = Board()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        FuzzingHandler(cases: byID, board: board))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FuzzingServer(channel: channel, port: channel.localAddress?.port ?? 0, board: board)
    }

    /// Registers for what comes of the next connection that asks for this case.
    package func verdict(of id: String) -> EventLoopFuture<Verdict> {
        let promise = self.channel.eventLoop.makePromise(of: Verdict.self)
        self.board.register(id, promise)
        return promise.futureResult
    }

    package func stop() async throws {
        try await self.channel.close().get()
    }
}

/// One connection of a fuzzing server.
private final class FuzzingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let cases: [String: ConformanceCase]
    private let board: FuzzingServer.Board
    private var request: [UInt8] = []
    private var id: String?
    private var run: CaseRun?
    private var deadline: Scheduled<Void>?

    init(cases: [String: ConformanceCase], board: FuzzingServer.Board) {
        self.cases = cases
        self.board = board
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        if self.run != nil {
            self.perform(self.run?.received(buffer.readableBytesView) ?? [], context)
            return
        }
        self.request.append(contentsOf: buffer.readableBytesView)
        // A client sends no frame before it has the answer.
        guard self.request.suffix(4) == [13, 10, 13, 10] else { return }
        guard let (id, key) = Self.parse(self.request), let testCase = self.cases[id] else {
            context.close(promise: nil)
            return
        }
        self.id = id
        self.answer(key, testCase.terms, context)
        self.deadline = context.eventLoop.assumeIsolated().scheduleTask(
            in: FuzzingServer.deadline
        ) { context.close(promise: nil) }
        var run = CaseRun(testCase)
        let actions = run.start()
        self.run = run
        self.perform(actions, context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.deadline?.cancel()
        let verdict = self.run?.ended()
        self.run = nil
        if let id = self.id { self.board.tell(id, verdict ?? nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func perform(_ actions: [CaseRun.Action], _ context: ChannelHandlerContext) {
        for action in actions {
            switch action {
            case .write(let bytes):
                let buffer = context.channel.allocator.buffer(bytes: bytes)
                context.writeAndFlush(Self.wrapOutboundOut(buffer), promise: nil)
            case .pause:
                context.eventLoop.assumeIsolated().scheduleTask(in: FuzzingServer.pause) {
                    self.perform(self.run?.pauseEnded() ?? [], context)
                }
            case .end:
                context.close(promise: nil)
            }
        }
    }

    private func answer(
        _ key: String, _ terms: CompressionTerms?, _ context: ChannelHandlerContext
    ) {
        let salted = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        let accept = Data(Insecure.SHA1.hash(data: Array(salted.utf8))).base64EncodedString()
        var head =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += "Sec-WebSocket-Accept: \(accept)\r\n"
        if let terms { head += "Sec-WebSocket-Extensions: \(terms.answer)\r\n" }
        let buffer = context.channel.allocator.buffer(string: head + "\r\n")
        context.writeAndFlush(Self.wrapOutboundOut(buffer), promise: nil)
    }

    private static func parse(_ request: [UInt8]) -> (id: String, key: String)? {
        let lines = String(decoding: request, as: UTF8.self).split(separator: "\r\n")
        let parts = lines.first?.split(separator: " ") ?? []
        let name = "sec-websocket-key: "
        let key = lines.first { $0.lowercased().hasPrefix(name) }?.dropFirst(name.count)
        guard parts.count == 3, let key else { return nil }
        return (String(parts[1].dropFirst()), String(key))
    }
}
