import HummingbirdCore
import Logging
import NIOCore

/// TLS below HTTP/1.1, by handlers that its owner puts in when a connection is made.
///
/// The server library's own TLS channel keeps one context for its whole life, so that a renewed
/// certificate would need a restart.
struct SecuredConnections: ServerChildChannel {
    let base: HTTP1Channel
    let secure: @Sendable (any Channel) throws -> Void

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try secure(channel)
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
