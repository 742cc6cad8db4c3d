import Feed
import NIOCore
import NIOPosix

@testable import WebSocket

/// A feed server and a client of it, for the length of a test.
struct Loopback: Sendable {
    let server: FeedServer
    let dialer: WebSocketDialer
    let loop: any EventLoop

    /// Runs a test with a server of its own and checks that no socket is left.
    static func with(
        tls: FeedTLS? = nil,
        resolver: (any HostResolver)? = nil,
        _ body: (Loopback) async throws -> Void
    ) async throws {
        let server = try await FeedServer.start(tls: tls)
        let group = MultiThreadedEventLoopGroup.singleton
        let dialer = WebSocketDialer(group: group, resolver: resolver ?? SystemResolver.shared)
        do {
            try await body(Loopback(server: server, dialer: dialer, loop: group.next()))
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    func request(
        _ target: String,
        _ change: (inout WebSocketRequest) -> Void = { _ in }
    ) -> WebSocketRequest {
        var request = WebSocketRequest(
            host: "127.0.0.1", port: self.server.port,
            authority: "127.0.0.1:\(self.server.port)", requestTarget: target)
        change(&request)
        return request
    }

    func dial(_ request: WebSocketRequest, _ recorder: Recorder = Recorder()) -> WebSocketDial {
        self.dialer.dial(request, on: self.loop) { _ in recorder }
    }

    func open(
        _ target: String,
        _ recorder: Recorder,
        _ change: (inout WebSocketRequest) -> Void = { _ in }
    ) async throws -> WebSocketConnection {
        try await self.dial(self.request(target, change), recorder).result.get()
    }

    /// Dials in vain; the server must be left without a connection.
    func failure(
        _ target: String,
        _ change: (inout WebSocketRequest) -> Void = { _ in }
    ) async throws -> WebSocketDialError {
        let recorder = Recorder()
        do {
            _ = try await self.dial(self.request(target, change), recorder).result.get()
        } catch let error as WebSocketDialError {
            try await eventually { self.server.connections == 0 }
            return error
        }
        throw UnexpectedSuccess()
    }

    struct UnexpectedSuccess: Error {}
}

extension WebSocketConnection {
    /// What it answers on its loop.
    func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (WebSocketConnection) -> Answer
    ) async throws -> Answer {
        try await self.eventLoop.submit { question(self) }.get()
    }

    /// Sends and waits until the socket has taken it.
    func sendAndWait(_ kind: WebSocketOpcode, _ payload: [UInt8]) async throws {
        let promise = self.eventLoop.makePromise(of: Void.self)
        self.send(kind, payload, promise: promise)
        try await promise.futureResult.get()
    }
}
