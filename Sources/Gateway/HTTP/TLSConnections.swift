import HummingbirdCore
import Logging
import NIOCore
import NIOSSL

/// TLS below HTTP/1.1, with the certificate that counts when a connection is made.
///
/// The server library's own TLS channel keeps one context for its whole life, so that a renewed
/// certificate would need a restart.
struct TLSConnections: ServerChildChannel {
    let base: HTTP1Channel
    let context: @Sendable () throws -> NIOSSLContext

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
                NIOSSLServerHandler(context: try context()))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
