package import NIOCore
package import WebSocket

/// A client of ours that sends back every message as it came.
package enum EchoAgent {
    /// Dials, echoes until the server ends it, and tells how it ended.
    /// - Throws: `WebSocketDialError`.
    package static func run(
        _ request: WebSocketRequest,
        dialer: WebSocketDialer,
        on loop: any EventLoop
    ) async throws -> WebSocketClose {
        let closed = loop.makePromise(of: WebSocketClose.self)
        let dial = dialer.dial(request, on: loop) { connection in
            Echo(connection, closed: closed)
        }
        do {
            _ = try await dial.result.get()
        } catch {
            closed.fail(error)
        }
        return try await closed.futureResult.get()
    }

    /// Dials, waits for one message, and for the server to end it.
    /// - Returns: Nil when the server ended it without a message.
    package static func firstMessage(
        _ request: WebSocketRequest,
        dialer: WebSocketDialer,
        on loop: any EventLoop
    ) async throws -> WebSocketMessage? {
        let received = loop.makePromise(of: WebSocketMessage?.self)
        let dial = dialer.dial(request, on: loop) { connection in
            First(connection, received: received)
        }
        do {
            _ = try await dial.result.get()
        } catch {
            received.fail(error)
        }
        return try await received.futureResult.get()
    }

    private final class First: WebSocketDelegate {
        private let connection: WebSocketConnection
        private let received: EventLoopPromise<WebSocketMessage?>
        private var message: WebSocketMessage?

        init(
            _ connection: WebSocketConnection, received: EventLoopPromise<WebSocketMessage?>
        ) {
            self.connection = connection
            self.received = received
        }

        func webSocketReceived(_ segments: [MessageSegment], bytes: Int) {
            self.message = self.message ?? segments.messages.first
        }

        func webSocketReceivedPong(_ payload: [UInt8]) {}

        func webSocketClosed(_ close: WebSocketClose) {
            self.received.succeed(self.message)
        }
    }

    private final class Echo: WebSocketDelegate {
        private let connection: WebSocketConnection
        private let closed: EventLoopPromise<WebSocketClose>

        init(_ connection: WebSocketConnection, closed: EventLoopPromise<WebSocketClose>) {
            self.connection = connection
            self.closed = closed
        }

        func webSocketReceived(_ segments: [MessageSegment], bytes: Int) {
            for message in segments.messages {
                self.connection.send(message.kind, message.payload)
            }
        }

        func webSocketReceivedPong(_ payload: [UInt8]) {}

        func webSocketClosed(_ close: WebSocketClose) {
            self.closed.succeed(close)
        }
    }
}
