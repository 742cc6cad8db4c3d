import Feed
import NIOCore
import Testing

@testable import WebSocket

/// Both sides of the close handshake over a real socket.
@Suite(.timeLimit(.minutes(1)))
struct ClosingTests {
    @Test(arguments: [UInt16(1000), 1001, 3001, 4999])
    func ourCodeAndReasonArrive(_ code: UInt16) async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder)
            connection.close(code: code, reason: "wir gehen")
            let close = try await recorder.closed()
            #expect(
                close
                    == WebSocketClose(
                        sentCode: code, sentReason: "wir gehen", receivedCode: code,
                        initiator: .local, wasClean: true))
            #expect(loopback.server.stats(of: "/echo").closeCodesReceived == [code])
            try await eventually { loopback.server.connections == 0 }
        }
    }

    @Test(arguments: [UInt16(1000), 1001, 1012, 4000])
    func theirCodeAndReasonArriveAndAreAnswered(_ code: UInt16) async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            _ = try await loopback.open("/close?code=\(code)&reason=move+on", recorder)
            let close = try await recorder.closed()
            #expect(
                close
                    == WebSocketClose(
                        sentCode: code, receivedCode: code, receivedReason: "move on",
                        initiator: .remote, wasClean: true))
            try await eventually {
                loopback.server.stats(of: "/close").closeCodesReceived == [code]
            }
            try await eventually { loopback.server.connections == 0 }
        }
    }

    @Test(arguments: [
        ("/bad-utf8", UInt16(1007), WebSocketError.Code.invalidUTF8),
        ("/bad-rsv", 1002, .protocolViolation), ("/bad-opcode", 1002, .protocolViolation),
        ("/masked", 1002, .protocolViolation), ("/close?code=1005", 1002, .protocolViolation),
    ])
    func aServerThatBreaksTheRulesIsTold(
        _ fault: (target: String, close: UInt16, code: WebSocketError.Code)
    ) async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            _ = try await loopback.open(fault.target, recorder)
            let close = try await recorder.closed()
            #expect(close.sentCode == fault.close)
            #expect(close.error?.code == fault.code)
            #expect(close.initiator == .local)
            #expect(close.receivedCode == nil)
            let path = String(fault.target.prefix { $0 != "?" })
            try await eventually {
                loopback.server.stats(of: path).closeCodesReceived == [fault.close]
            }
        }
    }

    @Test(arguments: ["/accept-close", "/drop?after=10"])
    func anEndWithoutCloseFrameIsTold(_ target: String) async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            _ = try await loopback.open(target, recorder)
            let close = try await recorder.closed()
            #expect(close.initiator == .transport)
            #expect(close.error?.code == .connectionClosed)
            #expect(close.receivedCode == nil)
            #expect(!close.wasClean)
        }
    }

    @Test func aResetIsTold() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            _ = try await loopback.open("/reset?after=10", recorder)
            let close = try await recorder.closed()
            #expect(close.initiator == .transport)
            #expect(close.error?.code == .connectionReset)
        }
    }

    @Test(arguments: ["/silent", "/no-close"])
    func aServerThatDoesNotAnswerIsCut(_ target: String) async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open(target, recorder)
            connection.setCloseTimeout(.milliseconds(100))
            connection.close(code: 1000, reason: "")
            let close = try await recorder.closed()
            #expect(close.error?.code == .closeTimedOut)
            #expect(close.initiator == .local)
            #expect(close.sentCode == 1000)
            try await eventually { loopback.server.connections == 0 }
        }
    }

    @Test func whatWasSentBeforeTheCloseArrives() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder)
            for index in 0..<100 { connection.send(.text, Array("\(index)".utf8)) }
            connection.close(code: 1000, reason: "")
            _ = try await recorder.closed()
            #expect(loopback.server.stats(of: "/echo").messagesReceived == 100)
            #expect(recorder.seen.texts == (0..<100).map { "\($0)" })
            let promise = connection.eventLoop.makePromise(of: Void.self)
            connection.send(.text, [], promise: promise)
            let error = await #expect(throws: WebSocketError.self) {
                try await promise.futureResult.get()
            }
            #expect(error?.code == .notOpen)
        }
    }

    @Test(arguments: [false, true])
    func anAbortLeavesNoSocket(_ isSecure: Bool) async throws {
        let tls = isSecure ? try Certificates.shared.server() : nil
        try await Loopback.with(tls: tls) { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/mute", recorder) {
                $0.isSecure = isSecure
                $0.tls = TLSOptions(caPEM: Certificates.shared.ca)
            }
            connection.abort()
            connection.abort()
            let close = try await recorder.closed()
            #expect(close.error?.code == .aborted)
            #expect(close.initiator == .local)
            #expect(close.sentCode == nil)
            try await eventually { loopback.server.connections == 0 }
            #expect(recorder.seen.closes.count == 1)
        }
    }

    @Test func anAbortWhileTheDelegateIsMadeIsTold() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let dial = loopback.dialer.dial(
                loopback.request("/first?count=5"), on: loopback.loop
            ) { connection in
                connection.abort()
                return recorder
            }
            _ = try await dial.result.get()
            #expect(try await recorder.closed().error?.code == .aborted)
            #expect(recorder.seen.messages.isEmpty)
            try await eventually { loopback.server.connections == 0 }
        }
    }

    @Test func theEndIsToldOnceAndLast() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/ticker?rate=1000", recorder)
            _ = try await recorder.until { $0.messages.count > 3 }
            connection.close(code: 1000, reason: "")
            connection.close(code: 1001, reason: "")
            loopback.server.dropAll()
            _ = try await recorder.closed()
            connection.abort()
            for _ in 0..<20 { try await connection.eventLoop.submit {}.get() }
            #expect(recorder.seen.closes.count == 1)
            #expect(recorder.seen.late == 0)
        }
    }
}
