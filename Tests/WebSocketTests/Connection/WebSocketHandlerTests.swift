import NIOCore
import NIOEmbedded
import Testing

@testable import WebSocket

/// The handler on a channel without a socket and with a clock that is moved by hand.
struct WebSocketHandlerTests {
    /// Stands for the dial.
    final class Observer: HandshakeObserver {
        var upgrades: [String?] = []
        var failures: [HandshakeFailure] = []
        var upgraded: () -> Void = {}

        func handshakeSecured() {}
        func handshakeUpgraded(_ agreement: HandshakeAgreement) {
            self.upgrades.append(agreement.subprotocol)
            self.upgraded()
        }
        func handshakeFailed(_ failure: HandshakeFailure) { self.failures.append(failure) }
    }

    /// A channel with a handler that has asked for the upgrade.
    struct Rig {
        let channel = EmbeddedChannel()
        let observer = Observer()
        let recorder: Recorder
        let handler: WebSocketHandler
        static let key = HandshakeKey(value: "dGhlIHNhbXBsZSBub25jZQ==")

        init(
            recorder: Recorder = Recorder(), maxMessageSize: Int = 1000,
            compression: CompressionOptions? = nil
        ) throws {
            self.recorder = recorder
            let request = WebSocketRequest(
                host: "h", port: 1, authority: "h", compression: compression,
                maxMessageSize: maxMessageSize,
                closeTimeout: .seconds(5))
            let handler = WebSocketHandler(
                request: request, key: Self.key, observer: self.observer)
            self.handler = handler
            self.observer.upgraded = { handler.delegate = recorder }
            try self.channel.pipeline.syncOperations.addHandler(handler)
            try self.channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            handler.begin()
            _ = try self.written()
        }

        /// A rig whose upgrade is done.
        static func open(recorder: Recorder = Recorder(), maxMessageSize: Int = 1000) throws -> Rig
        {
            let rig = try Rig(recorder: recorder, maxMessageSize: maxMessageSize)
            try rig.read(Self.answer)
            return rig
        }

        static var answer: [UInt8] {
            Array(
                """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Accept: \(Self.key.accept)\r
                \r\n
                """.utf8)
        }

        func read(_ bytes: [UInt8]) throws {
            try self.channel.writeInbound(ByteBuffer(bytes: bytes))
        }

        /// Lets the loop turn and takes every write, one entry each.
        func writes() throws -> [[UInt8]] {
            self.channel.embeddedEventLoop.run()
            var writes: [[UInt8]] = []
            while let buffer = try self.channel.readOutbound(as: ByteBuffer.self) {
                writes.append(Array(buffer.readableBytesView))
            }
            return writes
        }

        func written() throws -> [UInt8] { try self.writes().flatMap { $0 } }

        /// A rig with the upgrade done and compression agreed on.
        static func compressing(
            _ options: CompressionOptions = CompressionOptions(threshold: 0),
            answer: String = "permessage-deflate"
        ) throws -> Rig {
            let rig = try Rig(compression: options)
            let head = String(decoding: Self.answer, as: UTF8.self).dropLast("\r\n".count)
            try rig.read(Array("\(head)Sec-WebSocket-Extensions: \(answer)\r\n\r\n".utf8))
            return rig
        }

        /// The frames written since the last time.
        func frames() throws -> [(opcode: UInt8, payload: [UInt8])] {
            var bytes = try self.written()
            var frames: [(UInt8, [UInt8])] = []
            while let frame = Wire.parseClient(bytes) {
                frames.append((frame.opcode, frame.payload))
                bytes.removeFirst(frame.size)
            }
            try #require(bytes.isEmpty)
            return frames
        }
    }

    @Test func framesInTheReadOfTheAnswerAreDeliveredOnce() throws {
        let rig = try Rig()
        try rig.read(Rig.answer + Wire.text("first") + Wire.frame(9, [1]) + [0x81])
        try rig.read([0x01, 0x62])
        #expect(rig.observer.upgrades == [nil])
        #expect(rig.recorder.seen.texts == ["first", "b"])
        #expect(rig.recorder.seen.batches == [1, 1])
        let frames = try rig.frames()
        #expect(frames.map(\.opcode) == [10])
        #expect(frames.map(\.payload) == [[1]])
        _ = try? rig.channel.finish()
    }

    @Test func anAnswerInPiecesOpensOnce() throws {
        let rig = try Rig()
        for byte in Rig.answer + Wire.text("a") { try rig.read([byte]) }
        #expect(rig.observer.upgrades == [nil])
        #expect(rig.recorder.seen.texts == ["a"])
        _ = try? rig.channel.finish()
    }

    @Test func aBadAnswerClosesTheChannel() throws {
        let rig = try Rig()
        try rig.read(Array("HTTP/1.1 403 Forbidden\r\n\r\n".utf8))
        #expect(rig.observer.failures.map(\.httpStatus) == [403])
        #expect(!rig.channel.isActive)
        #expect(rig.recorder.seen.closes.isEmpty)
    }

    @Test func anEndBeforeTheAnswerFailsTheDial() throws {
        let rig = try Rig()
        rig.channel.pipeline.fireChannelInactive()
        #expect(rig.observer.failures.map(\.code) == [.reset])
        _ = try? rig.channel.finish()
    }

    @Test func messagesComeOncePerReadWithTheBytes() throws {
        let rig = try Rig.open()
        let bytes = Wire.text("a") + Wire.text("b") + [0x81]
        try rig.read(bytes)
        #expect(rig.recorder.seen.batches == [2])
        #expect(rig.recorder.seen.bytes == bytes.count)
        #expect(rig.handler.decoder.isMidFrame)
        try rig.read([0x05, 0x61])
        #expect(rig.recorder.seen.batches == [2, 0])
        #expect(rig.recorder.seen.bytes == bytes.count + 2)
        _ = try? rig.channel.finish()
    }

    @Test func aBurstIsOneWrite() throws {
        let rig = try Rig.open()
        let promise = rig.channel.eventLoop.makePromise(of: Void.self)
        for index in 0..<10 {
            rig.handler.send(.text, Array("m\(index)".utf8), promise: index == 9 ? promise : nil)
        }
        rig.handler.ping([7])
        #expect(rig.handler.pendingWriteBytes > 0)
        let writes = try rig.writes()
        #expect(writes.count == 1)
        #expect(Wire.parseClient(writes[0])?.payload == Array("m0".utf8))
        try promise.futureResult.wait()
        #expect(rig.handler.pendingWriteBytes == 0)
        _ = try? rig.channel.finish()
    }

    @Test func everyFrameHasItsOwnKey() throws {
        let rig = try Rig.open()
        for _ in 0..<20 { rig.handler.send(.binary, [0, 0, 0, 0], promise: nil) }
        let bytes = try rig.written()
        let keys = stride(from: 0, to: bytes.count, by: 10).map {
            Array(bytes[($0 + 2)..<($0 + 6)])
        }
        #expect(Set(keys).count >= 19)
        _ = try? rig.channel.finish()
    }

    @Test func aTextThatIsNotUTF8IsNotSent() throws {
        let rig = try Rig.open()
        let promise = rig.channel.eventLoop.makePromise(of: Void.self)
        rig.handler.send(.text, [0xFF], promise: promise)
        let error = #expect(throws: WebSocketError.self) { try promise.futureResult.wait() }
        #expect(error?.code == .invalidUTF8)
        #expect(try rig.written().isEmpty)
        _ = try? rig.channel.finish()
    }

    @Test(arguments: [
        (Wire.frame(3), UInt16(1002), WebSocketError.Code.protocolViolation),
        (Wire.frame(1, [0xFF]), 1007, .invalidUTF8),
        ([0x82, 126, 0x03, 0xE9], 1009, .messageTooBig),
    ])
    func aFaultIsToldAndEndsTheConnection(
        _ fault: (bytes: [UInt8], close: UInt16, code: WebSocketError.Code)
    ) throws {
        let rig = try Rig.open()
        try rig.read(Wire.text("before") + fault.bytes)
        #expect(rig.recorder.seen.texts == ["before"])
        let frames = try rig.frames()
        #expect(frames.map(\.opcode) == [8])
        #expect(try CloseFrame(parsing: frames[0].payload).code == fault.close)
        try rig.read(Wire.text("after"))
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!rig.channel.isActive)
        let seen = rig.recorder.seen
        #expect(seen.texts == ["before"])
        #expect(seen.closes.map(\.error?.code) == [fault.code])
        #expect(seen.closes.map(\.sentCode) == [fault.close])
    }

    @Test func aCloseWaitsForTheAnswerAndTheEnd() throws {
        let rig = try Rig.open()
        rig.handler.close(code: 1000, reason: "done")
        #expect(try rig.frames().map(\.opcode) == [8])
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(4))
        try rig.read(Wire.text("late") + Wire.close(1000, "ok"))
        rig.channel.embeddedEventLoop.advanceTime(by: .milliseconds(900))
        #expect(rig.channel.isActive)
        rig.channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        #expect(!rig.channel.isActive)
        let seen = rig.recorder.seen
        #expect(seen.texts == ["late"])
        #expect(
            seen.closes == [
                WebSocketClose(
                    sentCode: 1000, sentReason: "done", receivedCode: 1000, receivedReason: "ok",
                    initiator: .local, wasClean: true)
            ])
    }

    @Test func aCloseThatIsNotAnsweredIsCutInTime() throws {
        let rig = try Rig.open()
        rig.handler.closeTimeout = .seconds(2)
        rig.handler.close(code: 1001, reason: "")
        rig.channel.embeddedEventLoop.advanceTime(by: .milliseconds(1900))
        #expect(rig.channel.isActive)
        rig.channel.embeddedEventLoop.advanceTime(by: .milliseconds(200))
        #expect(rig.recorder.seen.closes.map(\.error?.code) == [.closeTimedOut])
        #expect(rig.recorder.seen.closes.map(\.sentCode) == [1001])
    }

    @Test func nothingIsSentOnceClosing() throws {
        let rig = try Rig.open()
        rig.handler.close(code: 1000, reason: "")
        let promise = rig.channel.eventLoop.makePromise(of: Void.self)
        rig.handler.send(.text, [0x61], promise: promise)
        rig.handler.ping([])
        try rig.read(Wire.frame(9))
        let error = #expect(throws: WebSocketError.self) { try promise.futureResult.wait() }
        #expect(error?.code == .notOpen)
        #expect(try rig.frames().map(\.opcode) == [8])
        _ = try? rig.channel.finish()
    }

    @Test func anAbortFromWithinACallbackIsToldLast() throws {
        let rig = try Rig()
        let handler = NIOLoopBound(rig.handler, eventLoop: rig.channel.eventLoop)
        let recorder = Recorder { _ in handler.value.abort() }
        rig.observer.upgraded = { handler.value.delegate = recorder }
        try rig.read(Rig.answer)
        try rig.read(Wire.text("a") + Wire.text("b"))
        rig.channel.embeddedEventLoop.run()
        #expect(recorder.seen.texts == ["a", "b"])
        #expect(recorder.seen.closes.map(\.error?.code) == [.aborted])
        #expect(recorder.seen.late == 0)
        #expect(!rig.channel.isActive)
    }

    @Test func whatWaitsWhenTheConnectionEndsFails() throws {
        let rig = try Rig.open()
        let promise = rig.channel.eventLoop.makePromise(of: Void.self)
        rig.handler.send(.text, [0x61], promise: promise)
        rig.handler.abort()
        let error = #expect(throws: WebSocketError.self) { try promise.futureResult.wait() }
        #expect(error?.code == .notOpen)
    }
}
