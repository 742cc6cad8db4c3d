import NIOCore
import NIOEmbedded
import Testing

@testable import WebSocket

/// Compression on the handler: what goes out, and when memory is given back.
struct ConnectionCompressionTests {
    typealias Rig = WebSocketHandlerTests.Rig
    static let text = [UInt8](repeating: 0x61, count: 500)

    @Test func aCompressedMessageIsDeliveredAndCountedAsOnTheWire() throws {
        let rig = try Rig.compressing()
        let bytes = CompressedDecodingTests.compressed(CompressedDecodingTests.hello)
        try rig.read(bytes)
        #expect(rig.recorder.seen.texts == ["Hello"])
        #expect(rig.recorder.seen.bytes == bytes.count)
        _ = try? rig.channel.finish()
    }

    @Test func whatIsWorthItGoesOutCompressed() throws {
        let rig = try Rig.compressing(CompressionOptions(threshold: 100))
        rig.handler.send(.text, Self.text, promise: nil)
        rig.handler.send(.text, Array(Self.text.prefix(99)), promise: nil)
        rig.handler.ping(Array(Self.text.prefix(125)))
        let bytes = try rig.written()
        #expect(bytes[0] == 0xC1)
        let first = try #require(Wire.parseClient(bytes))
        #expect(first.payload.count < 20)
        let decoded = CompressedDecodingTests.decode([
            CompressedDecodingTests.compressed(first.payload)
        ])
        #expect(decoded.messages.map(\.payload) == [Self.text])
        let rest = Array(bytes[first.size...])
        #expect(rest[0] == 0x81)
        let second = try #require(Wire.parseClient(rest))
        #expect(rest[second.size] == 0x89)
        _ = try? rig.channel.finish()
    }

    @Test func withoutAnAgreementAllGoesPlain() throws {
        let rig = try Rig(compression: CompressionOptions(threshold: 0))
        try rig.read(Rig.answer)
        rig.handler.send(.text, Self.text, promise: nil)
        #expect(try rig.written().first == 0x81)
        #expect(rig.handler.compression == nil)
        _ = try? rig.channel.finish()
    }

    @Test func badDataIsTold1007() throws {
        let rig = try Rig.compressing()
        try rig.read(CompressedDecodingTests.compressed([0xFF, 0xFF]))
        #expect(try CloseFrame(parsing: rig.frames()[0].payload).code == 1007)
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(rig.recorder.seen.closes.map(\.error?.code) == [.badCompression])
    }

    @Test func memoryIsGivenBackWhenIdleAndNotBefore() throws {
        let rig = try Rig.compressing()
        let compression = try #require(rig.handler.compression)
        #expect(!compression.isAwake)
        try rig.read(CompressedDecodingTests.compressed(CompressedDecodingTests.hello))
        rig.handler.send(.text, Self.text, promise: nil)
        #expect(compression.inflater.isAwake)
        #expect(compression.deflater.isAwake)
        let loop = rig.channel.embeddedEventLoop
        loop.advanceTime(by: .seconds(9))
        rig.handler.send(.text, Self.text, promise: nil)
        // In use since the timer began.
        loop.advanceTime(by: .seconds(2))
        #expect(compression.inflater.isAwake)
        #expect(compression.deflater.isAwake)
        loop.advanceTime(by: .seconds(10))
        #expect(!compression.isAwake)
        #expect(compression.idleTimer == nil)
        // The window is still there: this refers to the first message.
        try rig.read(CompressedDecodingTests.compressed([0xF2, 0x00, 0x11, 0x00, 0x00]))
        #expect(rig.recorder.seen.texts == ["Hello", "Hello"])
        #expect(compression.idleTimer != nil)
        _ = try? rig.channel.finish()
    }

    @Test func aMessageOnItsWayDoesNotRest() throws {
        let rig = try Rig.compressing()
        let hello = CompressedDecodingTests.hello
        let bytes = CompressedDecodingTests.compressed(hello)
        try rig.read(Array(bytes.prefix(5)))
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        try rig.read(Array(bytes.dropFirst(5)))
        #expect(rig.recorder.seen.texts == ["Hello"])
        rig.channel.embeddedEventLoop.advanceTime(by: .seconds(21))
        #expect(rig.handler.compression?.isAwake == false)
        _ = try? rig.channel.finish()
    }

    @Test func theEndDropsAll() throws {
        let rig = try Rig.compressing()
        try rig.read(CompressedDecodingTests.compressed(CompressedDecodingTests.hello))
        rig.handler.abort()
        #expect(rig.handler.compression == nil)
        #expect(rig.handler.decoder.inflater == nil)
    }
}
