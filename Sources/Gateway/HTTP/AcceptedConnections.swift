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
        typealias Option = ChannelOptions.Types.SocketOption
        let isWatched =
            [
                channel.setOption(Option(level: .socket, name: .so_keepalive), value: 1)
            ]
            + [
                (TCP_KEEPIDLE, HTTPLimits.probeAfterSeconds),
                (TCP_KEEPINTVL, HTTPLimits.probeEverySeconds), (TCP_KEEPCNT, HTTPLimits.probes),
            ].map { name, value in
                let option = Option(level: .tcp, name: .init(rawValue: name))
                return channel.setOption(option, value: SocketOptionValue(value))
            }
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
