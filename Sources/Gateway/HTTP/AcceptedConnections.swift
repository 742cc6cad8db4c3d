import HummingbirdCore
import Logging
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// HTTP/1.1 on connections that are looked after below it: a caller that has vanished is found,
/// and TLS is put in by handlers of the connection's owner.
///
/// A stream may be silent for hours, and no timer above TCP can tell a quiet caller from one whose
/// machine is gone. The server library's own TLS channel keeps one context for its whole life, so
/// that a renewed certificate would need a restart.
struct AcceptedConnections: ServerChildChannel {
    let base: HTTP1Channel
    let secure: (@Sendable (any Channel) throws -> Void)?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        let options: [(ChannelOptions.Types.SocketOption, SocketOptionValue)] = [
            (.init(level: .socket, name: .so_keepalive), 1),
            (.init(level: .tcp, name: .init(rawValue: TCP_KEEPIDLE)), HTTPLimits.probeAfterSeconds),
            (.init(level: .tcp, name: .init(rawValue: TCP_KEEPINTVL)), HTTPLimits.probeEverySeconds),
            (.init(level: .tcp, name: .init(rawValue: TCP_KEEPCNT)), HTTPLimits.probes),
        ]
        let isWatched = options.map { channel.setOption($0, value: $1) }
        return EventLoopFuture.andAllComplete(isWatched, on: channel.eventLoop).flatMapThrowing {
            try secure?(channel)
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
