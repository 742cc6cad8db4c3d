import NIOCore
import Synchronization

/// Tells when the other end of a connection has left, while a request is being worked on.
///
/// A caller that closes its side may have left or may only have said all it has to say; which, a
/// server learns when it writes. So it is given a moment for what is answered soon, and is then
/// taken to have left.
final class CallerPresence: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = NIOAny

    private struct State {
        var isGone = false
        var onGone: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Of this connection.
    static func of(_ channel: any Channel) async throws -> CallerPresence {
        try await channel.eventLoop.submit {
            try channel.pipeline.syncOperations.handler(type: CallerPresence.self)
        }.get()
    }

    /// Calls back once, at once if the caller has left already. Replaces an earlier callback.
    func onGone(_ callback: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            state.onGone = callback
            return state.isGone
        }
        if isGone { callback?() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed {
            context.eventLoop.scheduleTask(in: HTTPLimits.halfClosed) { self.leave() }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    private func leave() {
        let callback = state.withLock { state in
            state.isGone = true
            return state.onGone
        }
        callback?()
    }
}
