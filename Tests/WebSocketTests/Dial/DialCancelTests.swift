import Feed
import NIOCore
import Testing

@testable import WebSocket

/// A dial that is given up leaves no socket, whatever it was doing.
@Suite(.timeLimit(.minutes(1)))
struct DialCancelTests {
    static func expectCancelled(_ dial: WebSocketDial) async {
        let error = await #expect(throws: WebSocketDialError.self) { try await dial.result.get() }
        #expect(error?.code == .cancelled)
        #expect(error?.phase == .total)
    }

    @Test func atOnce() async throws {
        try await Loopback.with { loopback in
            let dial = loopback.dial(loopback.request("/mute"))
            dial.cancel()
            dial.cancel()
            await Self.expectCancelled(dial)
            try await eventually { loopback.server.connections == 0 }
        }
    }

    @Test func duringTheResolve() async throws {
        try await Loopback.with(resolver: DialFailureTests.Hanging()) { loopback in
            let dial = loopback.dial(loopback.request("/mute"))
            try await loopback.loop.submit {}.get()
            dial.cancel()
            await Self.expectCancelled(dial)
            #expect(loopback.server.accepted == 0)
        }
    }

    @Test func duringTheConnect() async throws {
        let full = try FullListener.start()
        defer { full.stop() }
        try await Loopback.with { loopback in
            let request = loopback.request("/mute") {
                $0.port = full.port
                // Far beyond what a busy machine needs to get to the cancel.
                $0.timeouts.connect = .seconds(50)
                $0.timeouts.dial = .seconds(55)
            }
            let dial = loopback.dial(request)
            for _ in 0..<5 { try await loopback.loop.submit {}.get() }
            dial.cancel()
            await Self.expectCancelled(dial)
        }
    }

    @Test func duringTheTLSHandshake() async throws {
        // Accepts and never answers the client's hello.
        let listener = try await DialFailureTests.listener { _ in }
        try await Loopback.with { loopback in
            let dial = loopback.dial(
                loopback.request("/mute") {
                    $0.isSecure = true
                    $0.port = listener.localAddress?.port ?? 0
                })
            for _ in 0..<5 { try await loopback.loop.submit {}.get() }
            dial.cancel()
            await Self.expectCancelled(dial)
        }
        try await listener.close()
    }

    @Test(arguments: ["/hang", "/slow-handshake?delay=600000"])
    func duringTheUpgrade(_ target: String) async throws {
        try await Loopback.with { loopback in
            let dial = loopback.dial(loopback.request(target))
            try await eventually { loopback.server.connections == 1 }
            dial.cancel()
            await Self.expectCancelled(dial)
            try await eventually { loopback.server.connections == 0 }
            #expect(loopback.server.accepted == 1)
        }
    }

    @Test func afterTheSuccessChangesNothing() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let dial = loopback.dial(loopback.request("/echo"), recorder)
            let connection = try await dial.result.get()
            dial.cancel()
            connection.send(.text, Array("a".utf8))
            _ = try await recorder.until { $0.messages.count == 1 }
        }
    }

    @Test func atAnyMomentLeavesEitherAConnectionOrNothing() async throws {
        try await Loopback.with { loopback in
            var open = 0
            for round in 0..<200 {
                let dial = loopback.dial(loopback.request("/mute"))
                for _ in 0..<(round % 12) { try await loopback.loop.submit {}.get() }
                dial.cancel()
                do {
                    try await dial.result.get().abort()
                    open += 1
                } catch let error as WebSocketDialError {
                    #expect(error.code == .cancelled)
                }
            }
            try await eventually { loopback.server.connections == 0 }
            #expect(loopback.server.stats(of: "/mute").opened >= open)
        }
    }
}
