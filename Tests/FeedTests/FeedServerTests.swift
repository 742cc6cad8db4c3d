import Feed
import NIOCore
import NIOPosix
import Synchronization
import Testing
import WebSocket

/// The server does what its list of paths says; asked by our own client.
@Suite(.timeLimit(.minutes(1)))
struct FeedServerTests {
    /// Keeps what a connection is told.
    final class Listener: WebSocketDelegate, Sendable {
        private let messages: AsyncStream<WebSocketMessage>.Continuation
        private let close = Mutex<WebSocketClose?>(nil)
        let stream: AsyncStream<WebSocketMessage>

        init() { (self.stream, self.messages) = AsyncStream.makeStream(of: WebSocketMessage.self) }

        var closed: WebSocketClose? { self.close.withLock { $0 } }

        func webSocketReceived(_ segments: [MessageSegment], bytes: Int) {
            for message in segments.messages { self.messages.yield(message) }
        }
        func webSocketReceivedPong(_ payload: [UInt8]) {}
        func webSocketClosed(_ close: WebSocketClose) {
            self.close.withLock { $0 = close }
            self.messages.finish()
        }

        /// The first texts, or all when the connection ends before.
        func texts(_ count: Int) async -> [String] {
            var texts: [String] = []
            for await message in self.stream {
                texts.append(String(decoding: message.payload, as: UTF8.self))
                if texts.count == count { break }
            }
            return texts
        }
    }

    static func open(
        _ target: String,
        _ server: FeedServer,
        _ change: (inout WebSocketRequest) -> Void = { _ in }
    ) async throws -> (WebSocketConnection, Listener) {
        var request = WebSocketRequest(
            host: "127.0.0.1", port: server.port, authority: "feed", requestTarget: target)
        change(&request)
        let group = MultiThreadedEventLoopGroup.singleton
        let listener = Listener()
        let dial = WebSocketDialer(group: group).dial(request, on: group.next()) { _ in listener }
        return (try await dial.result.get(), listener)
    }

    static func with(_ body: (FeedServer) async throws -> Void) async throws {
        let server = try await FeedServer.start()
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test func tickersNumberTheirTicks() async throws {
        try await Self.with { server in
            let (_, listener) = try await Self.open("/ticker?symbol=ETH&rate=500&size=150", server)
            let ticks = await listener.texts(3)
            for (index, tick) in ticks.enumerated() {
                #expect(tick.contains("\"symbol\":\"ETH\",\"sequence\":\(index + 1),"))
                #expect(tick.utf8.count == 150)
            }
        }
    }

    @Test func subscribersHearNothingBeforeTheyAsk() async throws {
        try await Self.with { server in
            let (connection, listener) = try await Self.open("/subscribe?rate=500", server)
            connection.send(.text, Array(#"{"hello":1}"#.utf8))
            connection.send(.text, Array(#"{"subscribe":"SOL"}"#.utf8))
            #expect(await listener.texts(1)[0].contains(#""symbol":"SOL","sequence":1,"#))
            #expect(server.stats(of: "/subscribe").messagesReceived == 2)
        }
    }

    @Test(arguments: [
        ("/echo", "any", "any"), ("/echo-json", #"{"id":7}"#, #"{"id":7,"echo":{"id":7}}"#),
        ("/rpc?delay=5", #"{"id":"a","params":[1]}"#, #"{"id":"a","result":[1]}"#),
        ("/rpc", #"{"id":null}"#, #"{"id":null,"result":null}"#),
        ("/envelope", #"{"payload":{"x":"}"},"id":"b"}"#, #"{"id":"b","payload":{"x":"}"}}"#),
    ])
    func answersCarryTheID(_ example: (target: String, sent: String, answer: String)) async throws {
        try await Self.with { server in
            let (connection, listener) = try await Self.open(example.target, server)
            connection.send(.text, Array(example.sent.utf8))
            #expect(await listener.texts(1) == [example.answer])
        }
    }

    @Test func prefixedMessagesComeBackWithTheirPrefix() async throws {
        try await Self.with { server in
            let (connection, listener) = try await Self.open("/prefix", server)
            connection.send(.text, Array("no answer".utf8))
            connection.send(.binary, [1, 2, 3])
            connection.send(.binary, Array("0123456789abcdefpayload".utf8))
            #expect(await listener.texts(1) == ["0123456789abcdefpayload"])
        }
    }

    @Test func upgradesAreRemembered() async throws {
        try await Self.with { server in
            _ = try await Self.open("/mute?a=b", server) { $0.headers = [("X-Token", "t")] }
            let before = ContinuousClock.now
            _ = try await Self.open("/mute", server)
            let log = server.handshakes
            #expect(log.map(\.path) == ["/mute", "/mute"])
            #expect(log.map(\.target) == ["/mute?a=b", "/mute"])
            #expect(log[0].header("x-token") == "t")
            #expect(log[1].header("x-token") == nil)
            #expect(log[0].time < before)
            #expect(server.stats["/mute"]?.opened == 2)
            #expect(server.stats(of: "/mute").open == 2)
            #expect(server.connections == 2)
            #expect(server.accepted == 2)
        }
    }

    @Test func broadcastsReachTheirPathOnly() async throws {
        try await Self.with { server in
            let (_, first) = try await Self.open("/mute", server)
            let (connection, second) = try await Self.open("/echo", server)
            server.broadcast("hello", to: "/mute")
            #expect(await first.texts(1) == ["hello"])
            connection.send(.text, Array("mine".utf8))
            #expect(await second.texts(1) == ["mine"])
        }
    }

    @Test func droppedConnectionsEndAndNewOnesMayCome() async throws {
        try await Self.with { server in
            let (_, listener) = try await Self.open("/mute", server)
            server.dropAll()
            #expect(await listener.texts(1).isEmpty)
            #expect(listener.closed?.initiator == .transport)
            _ = try await Self.open("/mute", server)
            #expect(server.stats(of: "/mute").opened == 2)
        }
    }

    @Test func aStoppedServerCanStartAgainOnItsPort() async throws {
        let first = try await FeedServer.start()
        let (_, listener) = try await Self.open("/ticker?rate=1000", first)
        _ = await listener.texts(1)
        await first.stop()
        let second = try await FeedServer.start(port: first.port)
        #expect(second.port == first.port)
        let (_, again) = try await Self.open("/ticker?rate=1000", second)
        #expect(await again.texts(1).count == 1)
        await second.stop()
    }

    @Test func aPortThatIsTakenIsAnError() async throws {
        try await Self.with { server in
            await #expect(throws: (any Error).self) {
                try await FeedServer.start(port: server.port)
            }
        }
    }

    @Test func unknownPathsAreNotFound() async throws {
        try await Self.with { server in
            let error = await #expect(throws: WebSocketDialError.self) {
                _ = try await Self.open("/nothing-here", server)
            }
            #expect(error?.httpStatus == 404)
        }
    }

    @Test func everyPathIsDescribedOnce() {
        let paths = FeedPath.all.map(\.path)
        #expect(Set(paths).count == paths.count)
        #expect(FeedPath.all.allSatisfy { !$0.summary.isEmpty && $0.path.hasPrefix("/") })
    }
}
