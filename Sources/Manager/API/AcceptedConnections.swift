import GRPCNIOTransportHTTP2Posix
import NIOCore
import NIOHTTP2

extension HTTP2ServerTransport.Posix.Config {
    /// Changes the pipeline of every connection that is accepted, before what is done to it already.
    mutating func onAccept(
        _ change: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void
    ) {
        let other = channelDebuggingCallbacks.onAcceptTCPConnection
        channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
            let changed = channel.eventLoop.makeCompletedFuture {
                try change(channel.pipeline.syncOperations)
            }
            return other.map { other in changed.flatMap { other(channel) } } ?? changed
        }
    }

    /// Keeps window updates of connections from the task that the library has behind the pipeline:
    /// it throws every frame away, and each would wake a thread for that while a stream is written.
    mutating func endWindowUpdatesInPipeline() {
        onAccept { pipeline in
            try pipeline.addHandler(
                WindowUpdateDropper(),
                position: .after(pipeline.handler(type: NIOHTTP2Handler.self)))
        }
    }
}

/// Stands behind the handler that has seen to the window updates; who comes next heeds pings only.
private final class WindowUpdateDropper: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .windowUpdate = unwrapInboundIn(data).payload { return }
        context.fireChannelRead(data)
    }
}
