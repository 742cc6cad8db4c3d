import Feed
import NIOCore
import NIOPosix
import Testing

@testable import WebSocket

/// Every way a dial can fail: its class, its one line, and that no socket is left.
@Suite(.timeLimit(.minutes(1)))
struct DialFailureTests {
    @Test func aClosedPortIsRefused() async throws {
        try await Loopback.with { loopback in
            let port = try await Self.closedPort()
            let error = try await loopback.failure("/") { $0.port = port }
            #expect(error.phase == .connect)
            #expect(error.code == .refused)
            #expect(error.message == "connect 127.0.0.1:\(port): connection refused")
        }
    }

    @Test func anUnknownNameIsNotFound() async throws {
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/") {
                $0.host = "no-such-host.invalid"
                $0.timeouts.resolve = .seconds(30)
                $0.timeouts.dial = .seconds(40)
            }
            #expect(error.phase == .resolve)
            #expect([.nameNotFound, .other].contains(error.code))
            #expect(error.message.hasPrefix("resolve no-such-host.invalid:"))
        }
    }

    @Test(arguments: [400, 401, 403, 404, 429, 500, 503])
    func anotherStatusIsTold(_ status: Int) async throws {
        try await Loopback.with { loopback in
            let error = try await loopback.failure(
                "/status?code=\(status)&retryAfter=3&token=secret"
            ) { $0.headers = [("Authorization", "Bearer secret")] }
            #expect(error.phase == .upgrade)
            #expect(error.code == .httpStatus)
            #expect(error.httpStatus == status)
            #expect(error.retryAfter == .seconds(3))
            #expect(error.message.contains("HTTP \(status)"))
            #expect(!error.description.contains("secret"))
        }
    }

    @Test func aRedirectIsToldWithItsTarget() async throws {
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/redirect?to=/mute")
            #expect(error.code == .httpStatus)
            #expect(error.httpStatus == 302)
            #expect(error.location == "/mute")
            #expect(error.message.hasSuffix("HTTP 302 Found, redirects to /mute"))
        }
    }

    @Test func anUpgradeThatHangsEndsByItsDeadline() async throws {
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/hang") {
                $0.timeouts.upgrade = .milliseconds(150)
            }
            #expect(error.phase == .upgrade)
            #expect(error.code == .timedOut)
            #expect(loopback.server.accepted == 1)
        }
    }

    @Test func theWholeDialHasADeadline() async throws {
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/slow-handshake?delay=600000") {
                $0.timeouts.dial = .milliseconds(150)
            }
            #expect(error.phase == .total)
            #expect(error.code == .timedOut)
            #expect(error.message.contains("upgrade"))
        }
    }

    @Test func aResolverThatHangsEndsByItsDeadline() async throws {
        try await Loopback.with(resolver: Hanging()) { loopback in
            let error = try await loopback.failure("/mute") {
                $0.timeouts.resolve = .milliseconds(100)
            }
            #expect(error.phase == .resolve)
            #expect(error.code == .timedOut)
            #expect(loopback.server.accepted == 0)
        }
    }

    @Test func aConnectThatHangsEndsByItsDeadline() async throws {
        // A listener that never accepts and whose queue is full.
        let full = try FullListener.start()
        defer { full.stop() }
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/") {
                $0.port = full.port
                $0.timeouts.connect = .milliseconds(200)
                $0.timeouts.upgrade = .milliseconds(200)
            }
            #expect(error.phase == .connect)
            #expect(error.code == .timedOut)
        }
    }

    @Test func aServerThatSpeaksNoHTTPIsRefused() async throws {
        let listener = try await Self.listener { channel in
            channel.writeAndFlush(ByteBuffer(string: "220 mail.test ESMTP\r\n\r\n"), promise: nil)
        }
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/") {
                $0.port = listener.localAddress?.port ?? 0
            }
            #expect(error.phase == .upgrade)
            #expect(error.code == .badHandshake)
        }
        try await listener.close()
    }

    @Test func aServerThatHangsUpIsTold() async throws {
        let listener = try await Self.listener { $0.close(promise: nil) }
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/") {
                $0.port = listener.localAddress?.port ?? 0
            }
            #expect(error.phase == .upgrade)
            #expect(error.code == .reset)
        }
        try await listener.close()
    }

    @Test func subprotocolsAreChecked() async throws {
        try await Loopback.with { loopback in
            let wrong = try await loopback.failure("/subprotocol?choose=c") {
                $0.subprotocols = ["a", "b"]
            }
            #expect(wrong.code == .subprotocol)
            let none = try await loopback.failure("/mute") {
                $0.subprotocols = ["a"]
                $0.requireSubprotocol = true
            }
            #expect(none.code == .subprotocol)
            let recorder = Recorder()
            let right = try await loopback.open("/subprotocol?choose=b", recorder) {
                $0.subprotocols = ["a", "b"]
                $0.requireSubprotocol = true
            }
            #expect(try await right.ask(\.subprotocol) == "b")
        }
    }

    @Test func aRequestThatCannotBeSentIsNotDialled() async throws {
        try await Loopback.with { loopback in
            let error = try await loopback.failure("/mute") {
                $0.headers = [("X", "a\r\nY: secret")]
            }
            #expect(error.code == .invalidRequest)
            #expect(!error.message.contains("secret"))
            #expect(loopback.server.accepted == 0)
        }
    }

    @Test func headersArriveAsGiven() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            _ = try await loopback.open("/headers?a=b", recorder) {
                $0.headers = [("Authorization", "Bearer x"), ("X-Twice", "1"), ("X-Twice", "2")]
                $0.authority = "feed.test"
            }
            let seen = try await recorder.until { $0.messages.count == 1 }
            let text = seen.texts[0]
            #expect(text.contains(#""target":"/headers?a=b""#))
            #expect(text.contains(#"["Host","feed.test"]"#))
            #expect(text.contains(#"["Authorization","Bearer x"]"#))
            #expect(text.contains(#"["X-Twice","1"],["X-Twice","2"]"#))
        }
    }

    // MARK: - Servers that are none

    /// A resolver that never answers.
    struct Hanging: HostResolver {
        func resolve(
            _ host: String,
            port: Int,
            on loop: any EventLoop
        ) -> EventLoopFuture<[SocketAddress]> {
            loop.submit {}.flatMap { loop.scheduleTask(in: .hours(1)) { [] }.futureResult }
        }
    }

    /// A port nobody listens on.
    static func closedPort() async throws -> Int {
        let listener = try await Self.listener { _ in }
        let port = listener.localAddress?.port ?? 0
        try await listener.close()
        return port
    }

    static func listener(
        _ accepted: @escaping @Sendable (any Channel) -> Void
    ) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.execute { accepted(channel) }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
    }
}
