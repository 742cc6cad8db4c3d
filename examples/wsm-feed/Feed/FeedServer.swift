import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A WebSocket server to play with: each path behaves in its own way, well or badly.
///
///     let server = try await FeedServer.start()
///     // ws://127.0.0.1:\(server.port)/ticker?symbol=BTC&rate=2
///     await server.stop()
///
/// The paths are in `FeedPath.all`. Frames are read by NIOWebSocket and written by hand, so a client
/// is measured against a codec that is not its own.
package final class FeedServer: Sendable {
    /// The port it listens on.
    package let port: Int
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let log: FeedLog

    private init(group: MultiThreadedEventLoopGroup, listener: any Channel, log: FeedLog) {
        self.group = group
        self.listener = listener
        self.log = log
        self.port = listener.localAddress?.port ?? 0
    }

    /// Starts listening.
    /// - Parameters:
    ///   - port: 0 for any free one.
    ///   - tls: Nil for `ws`, else `wss`.
    ///   - rate: Messages a second of a feed whose query has no `rate`.
    ///   - threads: Event loops of its own.
    package static func start(
        host: String = "127.0.0.1",
        port: Int = 0,
        tls: FeedTLS? = nil,
        rate: Double = 2,
        threads: Int = 1
    ) async throws -> FeedServer {
        let context = try tls?.makeContext()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let log = FeedLog()
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 4096)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try FeedServer.prepare(channel, context: context, rate: rate, log: log)
                    }
                }
                .bind(host: host, port: port)
                .get()
            return FeedServer(group: group, listener: listener, log: log)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func prepare(
        _ channel: any Channel,
        context: NIOSSLContext?,
        rate: Double,
        log: FeedLog
    ) throws {
        let pipeline = channel.pipeline.syncOperations
        log.accepted(channel)
        if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        try pipeline.addHandlers(
            decoder, FeedHandshake(decoder: decoder, log: log, defaultRate: rate))
    }

    /// Stops listening and cuts every connection; the port is free afterwards.
    package func stop() async {
        try? await self.listener.close()
        self.dropAll()
        try? await self.group.shutdownGracefully()
    }

    /// Cuts every connection and goes on listening.
    package func dropAll() {
        for channel in self.log.channels { channel.close(promise: nil) }
    }

    /// Sends a text message to every connection open on a path.
    package func broadcast(_ text: String, to path: String) {
        for channel in self.log.channels(on: path) {
            channel.eventLoop.execute {
                try? channel.pipeline.syncOperations.handler(type: FeedSession.self).send(text)
            }
        }
    }

    /// TCP connections open now, upgraded or not.
    package var connections: Int { self.log.channels.count }

    /// TCP connections accepted so far.
    package var accepted: Int { self.log.acceptedCount }

    /// What happened on a path so far.
    package func stats(of path: String) -> FeedPathStats { self.log.stats(of: path) }

    /// Every path that was asked for, with what happened there.
    package var stats: [String: FeedPathStats] { self.log.allStats }

    /// The upgrades granted, oldest first; the newest `FeedLog.handshakeLimit` are kept.
    package var handshakes: [FeedHandshakeRecord] { self.log.handshakes }
}
