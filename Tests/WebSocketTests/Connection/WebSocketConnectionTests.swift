import Feed
import NIOCore
import Synchronization
import Testing

@testable import WebSocket

/// Messages over a real socket, against a server with a codec that is not ours.
@Suite(.timeLimit(.minutes(1)))
struct WebSocketConnectionTests {
    @Test func messagesComeBackAsTheyWent() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder)
            let sizes = [0, 1, 125, 126, 65_535, 65_536, 200_000]
            for size in sizes {
                let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                try await connection.sendAndWait(.binary, payload)
            }
            try await connection.sendAndWait(.text, Array("grün 🟢".utf8))
            let seen = try await recorder.until { $0.messages.count == sizes.count + 1 }
            #expect(seen.messages.map(\.payload.count).dropLast() == sizes[...])
            for message in seen.messages.dropLast() {
                let expected = message.payload.indices.map { UInt8(truncatingIfNeeded: $0 &* 7) }
                #expect(message.payload == expected)
                #expect(message.kind == .binary)
            }
            #expect(seen.messages.last?.kind == .text)
            #expect(seen.texts.last == "grün 🟢")
            #expect(
                try await connection.ask(\.remoteAddress) == "127.0.0.1:\(loopback.server.port)")
            #expect(try await connection.ask(\.subprotocol) == nil)
        }
    }

    @Test(arguments: [1, 100, 10_000])
    func messagesInTheWriteOfTheAnswerComeOnce(_ count: Int) async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/first?count=\(count)", recorder)
            connection.ping([1])
            let seen = try await recorder.until { !$0.pongs.isEmpty && $0.messages.count >= count }
            #expect(seen.texts == (1...count).map { "first \($0)" })
        }
    }

    @Test func aBurstComesWholeAndInOrder() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            _ = try await loopback.open("/burst?count=20000", recorder)
            let seen = try await recorder.until { $0.messages.count >= 20_000 }
            let isInOrder = seen.texts.enumerated().allSatisfy {
                $1.contains("\"sequence\":\($0 + 1),")
            }
            #expect(isInOrder)
            #expect(seen.messages.count == 20_000)
            #expect(seen.batches.count < 20_000)
        }
    }

    @Test func fragmentsAreJoined() async throws {
        try await Loopback.with { loopback in
            for part in [1, 2, 3, 7, 1000] {
                let recorder = Recorder()
                let connection = try await loopback.open("/fragments?part=\(part)", recorder)
                let seen = try await recorder.until { $0.messages.count == 1 }
                #expect(seen.texts == ["fragmented: grün, 緑, 🟢"])
                connection.close(code: 1000, reason: "")
                _ = try await recorder.closed()
            }
            // A ping stood between every two fragments.
            let stats = loopback.server.stats(of: "/fragments")
            #expect(stats.pongsReceived > 30)
        }
    }

    @Test func aLargeMessageComesWhole() async throws {
        try await Loopback.with { loopback in
            let size = 16 << 20
            let recorder = Recorder()
            _ = try await loopback.open("/large?size=\(size)", recorder) {
                $0.maxMessageSize = size
            }
            let seen = try await recorder.until { $0.messages.count == 1 }
            #expect(seen.messages[0].payload.count == size)
        }
    }

    @Test func aMessageThatIsTooLargeEndsTheConnection() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            _ = try await loopback.open("/large?size=5000000", recorder) {
                $0.maxMessageSize = 4_999_999
            }
            let close = try await recorder.closed()
            #expect(close.sentCode == 1009)
            #expect(close.error?.code == .messageTooBig)
            #expect(recorder.seen.messages.isEmpty)
            try await eventually {
                loopback.server.stats(of: "/large").closeCodesReceived == [1009]
            }
        }
    }

    @Test func pingsAreAnsweredBothWays() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/ping?every=5", recorder)
            connection.ping(Array("are you there".utf8))
            connection.ping([])
            let seen = try await recorder.until { $0.pongs.count == 2 }
            #expect(seen.pongs == [Array("are you there".utf8), []])
            try await eventually { loopback.server.stats(of: "/ping").pongsReceived >= 3 }
        }
    }

    @Test func manySendersFromManyThreadsLoseNothing() async throws {
        try await Loopback.with { loopback in
            let recorder = Recorder()
            let connection = try await loopback.open("/echo", recorder)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for sender in 0..<8 {
                    group.addTask {
                        for index in 0..<250 {
                            try await connection.sendAndWait(
                                .text, Array("\(sender) \(index)".utf8))
                        }
                    }
                }
                try await group.waitForAll()
            }
            let seen = try await recorder.until { $0.messages.count == 2000 }
            #expect(Set(seen.texts).count == 2000)
            #expect(seen.texts.filter { $0.hasPrefix("3 ") } == (0..<250).map { "3 \($0)" })
        }
    }

    @Test func aCallFromWithinTheDelegateWorks() async throws {
        try await Loopback.with { loopback in
            let held = Mutex<WebSocketConnection?>(nil)
            let recorder = Recorder { messages in
                for message in messages where message.payload.count < 5 {
                    held.withLock { $0 }?.send(.text, message.payload + [0x61])
                }
            }
            let dial = loopback.dialer.dial(
                loopback.request("/echo"), on: loopback.loop
            ) { connection in
                held.withLock { $0 = connection }
                return recorder
            }
            try await dial.result.get().sendAndWait(.text, [])
            let seen = try await recorder.until { $0.messages.count == 6 }
            #expect(seen.texts == ["", "a", "aa", "aaa", "aaaa", "aaaaa"])
        }
    }
}
