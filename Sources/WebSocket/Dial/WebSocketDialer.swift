package import NIOCore

/// Opens WebSocket connections.
///
///     let dialer = WebSocketDialer(group: group)
///     let dial = dialer.dial(request, on: loop) { connection in Receiver(connection) }
///     let connection = try await dial.result.get()
///
/// One for the process is enough: it keeps the TLS contexts. Dials are independent of each other;
/// how many there are at one time is the caller's business.
package final class WebSocketDialer: Sendable {
    private let contexts: TLSContextCache
    private let resolver: any HostResolver

    /// - Parameter group: Where shared work completes; any group that outlives the dialer.
    package convenience init(group: any EventLoopGroup) {
        self.init(group: group, resolver: SystemResolver.shared)
    }

    init(group: any EventLoopGroup, resolver: any HostResolver) {
        self.contexts = TLSContextCache(group: group)
        self.resolver = resolver
    }

    /// Starts one dial; at once where the caller is on the loop.
    /// - Parameters:
    ///   - loop: Where the connection lives and every callback comes.
    ///   - makeDelegate: Called once on the loop when the server has agreed, before the result
    ///     succeeds and before the first frame is delivered; not called when the dial fails. A
    ///     delegate that exists already is passed in a `NIOLoopBound` and returned from here.
    package func dial(
        _ request: WebSocketRequest,
        on loop: any EventLoop,
        makeDelegate: @escaping @Sendable (WebSocketConnection) -> any WebSocketDelegate
    ) -> WebSocketDial {
        let promise = loop.makePromise(of: WebSocketConnection.self)
        let (contexts, resolver) = (self.contexts, self.resolver)
        let start = { @Sendable in
            let attempt = DialAttempt(
                request, loop: loop, resolver: resolver, contexts: contexts,
                makeDelegate: makeDelegate, promise: promise)
            attempt.start()
            return NIOLoopBound(attempt, eventLoop: loop)
        }
        return WebSocketDial(
            result: promise.futureResult,
            attempt: loop.inEventLoop ? loop.makeSucceededFuture(start()) : loop.submit(start))
    }
}

/// A dial on its way.
package final class WebSocketDial: Sendable {
    /// The open connection, or a `WebSocketDialError`; completes on the dial's loop.
    package let result: EventLoopFuture<WebSocketConnection>
    private let attempt: EventLoopFuture<NIOLoopBound<DialAttempt>>

    init(
        result: EventLoopFuture<WebSocketConnection>,
        attempt: EventLoopFuture<NIOLoopBound<DialAttempt>>
    ) {
        self.result = result
        self.attempt = attempt
    }

    /// Gives the dial up; from any thread, any number of times.
    ///
    /// The result is the acknowledgement: it fails with `cancelled` when no socket is left, or has
    /// succeeded before, and then the connection is the caller's to close.
    package func cancel() {
        self.attempt.whenSuccess { $0.value.cancel() }
    }
}
