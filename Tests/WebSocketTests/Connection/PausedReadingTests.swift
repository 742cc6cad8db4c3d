import Feed
import NIOCore
import Synchronization
import Testing

@testable import WebSocket

@Suite(.timeLimit(.minutes(1)))
struct PausedReadingTests {
    @Test func nothingComesWhilePaused() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder)
            connection.setReading(false)
            try await connection.sendAndWait(.text, Array("a".utf8))
            try await eventually { loopback.server.stats(of: "/echo").messagesSent == 1 }
            // The loop turns; what could be read would have been read.
            for _ in 0..<20 { try await connection.eventLoop.submit {}.get() }
            #expect(recorder.seen.messages.isEmpty)
            connection.setReading(true)
            let seen = try await recorder.until { $0.messages.count == 1 }
            #expect(seen.texts == ["a"])
        }
    }

    @Test(arguments: [false, true])
    func oneReadAnswersThePingsItFinds(_ isSecure: Bool) async throws {
        let tls = isSecure ? try Certificates.shared.server() : nil
        try await Loopback.with(tls: tls) { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/ping?every=2", recorder) {
                $0.isSecure = isSecure
                $0.tls = TLSOptions(caPEM: Certificates.shared.ca)
            }
            connection.setReading(false)
            let before = try await Self.settled { loopback.server.stats(of: "/ping").pongsReceived }
            connection.readOnce()
            try await eventually { loopback.server.stats(of: "/ping").pongsReceived > before }
            // Paused still: the next pings wait for the next read.
            let after = try await Self.settled { loopback.server.stats(of: "/ping").pongsReceived }
            connection.readOnce()
            try await eventually { loopback.server.stats(of: "/ping").pongsReceived > after }
        }
    }

    /// Returns when so many messages of a thousand bytes are on their way back to a connection that
    /// does not read.
    private func fill(
        _ connection: WebSocketConnection, of loopback: Loopback, messages: Int
    ) async throws {
        for _ in 0..<messages { connection.send(.binary, [UInt8](repeating: 1, count: 1000)) }
        try await eventually { loopback.server.stats(of: "/echo").messagesSent == messages }
    }

    @Test func readsWhilePausedAreBounded() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder)
            connection.setReading(false)
            let count = 4000
            try await fill(connection, of: loopback, messages: count)
            connection.readOnce()
            _ = try await recorder.until { $0.bytes > 0 }
            for _ in 0..<20 { try await connection.eventLoop.submit {}.get() }
            let seen = recorder.seen
            #expect(seen.batches.count == 1)
            #expect(seen.bytes <= WebSocketLimits.shallowRead)
            connection.setReading(true)
            _ = try await recorder.until { $0.messages.count == count }
        }
    }

    /// Twelve megabytes that wait in the kernel and in the peer.
    ///
    /// - Parameter size: of a message, which fits into a read often, seldom or not at all.
    @Test(arguments: [true, false], [990, 70_000, 300_000])
    func everythingComesHoweverDeepReadsAre(_ isDeep: Bool, _ size: Int) async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder)
            let count = 12_000_000 / size
            connection.setReading(false)
            connection.setDeepReads(isDeep)
            for number in 0..<count {
                let rest = [UInt8](repeating: 0x61, count: size)
                connection.send(.text, Array("\(number) ".utf8) + rest)
            }
            try await eventually { loopback.server.stats(of: "/echo").messagesSent == count }
            connection.setReading(true)
            _ = try await recorder.until { $0.messages.count >= count / 2 }
            connection.setDeepReads(!isDeep)
            let seen = try await recorder.until { $0.messages.count == count }
            #expect(seen.texts.map { $0.prefix { $0 != " " } } == (0..<count).map { "\($0)" })
        }
    }

    /// - Parameter isDeep: more than one read in a turn of the loop, or one small one.
    @Test(arguments: [true, false])
    func aDeepReadGoesOnInTheSameTurn(_ isDeep: Bool) async throws {
        struct Turn {
            var bytes = 0
            var largest = 0
        }
        try await Loopback.with { loopback in
            let turn = Mutex(Turn())
            let loop = loopback.loop
            let recorder = Recorder { messages in
                let bytes = messages.reduce(0) { $0 + $1.payload.count }
                let isNew = turn.withLock { turn in
                    defer { turn.bytes += bytes }
                    return turn.bytes == 0
                }
                guard isNew else { return }
                loop.execute {
                    turn.withLock { turn in
                        turn.largest = max(turn.largest, turn.bytes)
                        turn.bytes = 0
                    }
                }
            }
            let connection = try await loopback.open("/echo", recorder)
            connection.setReading(false)
            connection.setDeepReads(isDeep)
            let count = 12_000
            try await fill(connection, of: loopback, messages: count)
            connection.setReading(true)
            _ = try await recorder.until { $0.messages.count == count }
            try await loop.submit {}.get()
            let largest = turn.withLock { $0.largest }
            #expect((largest > WebSocketLimits.readBuffer) == isDeep, "\(largest)")
        }
    }

    @Test func theCloseFrameBehindADeepReadIsFound() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder)
            connection.setReading(false)
            connection.setDeepReads(true)
            let count = 2_000
            try await fill(connection, of: loopback, messages: count)
            connection.close(code: 1000, reason: "")
            let close = try await recorder.closed()
            #expect(close.wasClean)
            #expect(recorder.seen.messages.count == count)
        }
    }

    @Test func whatWasReadBeforeThePauseIsDelivered() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let dial = loopback.dialer.dial(
                loopback.request("/first?count=500"), on: loopback.loop
            ) { connection in
                connection.setReading(false)
                return recorder
            }
            _ = try await dial.result.get()
            let seen = try await recorder.until { !$0.messages.isEmpty }
            #expect(seen.texts.first == "first 1")
        }
    }

    @Test func aPausedConnectionStillClosesCleanly() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder)
            connection.setReading(false)
            try await connection.sendAndWait(.text, Array("a".utf8))
            connection.close(code: 1000, reason: "")
            let close = try await recorder.closed()
            #expect(close.wasClean)
            #expect(recorder.seen.texts == ["a"])
        }
    }

    @Test func aPausedConnectionNoticesTheEnd() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/mute", recorder)
            connection.setReading(false)
            try await connection.eventLoop.submit {}.get()
            loopback.server.dropAll()
            #expect(try await recorder.closed().error?.code == .connectionClosed)
        }
    }

    /// The value once it has not changed for a while.
    private static func settled(_ value: @Sendable () -> Int) async throws -> Int {
        var last = value()
        var same = 0
        while same < 10 {
            try await Task.sleep(for: .milliseconds(3))
            same = value() == last ? same + 1 : 0
            last = value()
        }
        return last
    }
}
