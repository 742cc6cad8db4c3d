import Dapr
import GRPCNIOTransportHTTP2Posix
package import NIOCore
import Synchronization

/// On which event loop each caller's connection is, for streams that are written there: what a loop
/// has read reaches a caller on the same loop without a change of threads, and once a turn.
///
/// gRPC runs handlers on the threads that all tasks share, and tells them nothing of their connection
/// but its remote address.
package final class CallerLoops: Sendable {
    private let executors: [ObjectIdentifier: EventLoopExecutor]
    private let loops = Mutex<[String: ObjectIdentifier]>([:])

    package init(_ eventLoops: [any EventLoop]) {
        executors = Dictionary(
            eventLoops.map { (ObjectIdentifier($0), EventLoopExecutor($0)) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Notes every connection that is accepted from now on, until it closes.
    func watch(_ config: inout HTTP2ServerTransport.Posix.Config) {
        config.onAccept { pipeline in
            try pipeline.addHandler(CallerLoopHandler(self), position: .first)
        }
    }

    /// - Parameter caller: `remotePeer` of a call's context.
    /// - Returns: `nil` for one that is not connected to the gRPC port, as the gateway's.
    func executor(of caller: String) -> EventLoopExecutor? {
        loops.withLock { $0[caller] }.flatMap { executors[$0] }
    }

    fileprivate func opened(_ caller: String, on eventLoop: any EventLoop) {
        loops.withLock { $0[caller] = ObjectIdentifier(eventLoop) }
    }

    fileprivate func closed(_ caller: String) {
        _ = loops.withLock { $0.removeValue(forKey: caller) }
    }
}

/// Tells ``CallerLoops`` of one connection.
private final class CallerLoopHandler: ChannelInboundHandler {
    typealias InboundIn = Any

    private let loops: CallerLoops
    private var caller: String?

    init(_ loops: CallerLoops) {
        self.loops = loops
    }

    func channelActive(context: ChannelHandlerContext) {
        if let caller = context.remoteAddress?.caller {
            self.caller = caller
            loops.opened(caller, on: context.eventLoop)
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let caller { loops.closed(caller) }
        context.fireChannelInactive()
    }
}

extension NIOCore.SocketAddress {
    /// As gRPC writes it in `remotePeer`.
    fileprivate var caller: String? {
        switch self {
        case .v4(let address): port.map { "ipv4:\(address.host):\($0)" }
        case .v6(let address): port.map { "ipv6:[\(address.host)]:\($0)" }
        case .unixDomainSocket: nil
        }
    }
}
