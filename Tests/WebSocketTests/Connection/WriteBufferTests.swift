import NIOCore
import NIOEmbedded
import Testing

@testable import WebSocket

/// What happens when the peer reads slower than we write.
struct WriteBufferTests {
    /// Holds every write back until it is told to let go.
    final class Dam: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var held: [EventLoopPromise<Void>?] = []
        var payloads: [ByteBuffer] = []

        func write(
            context: ChannelHandlerContext,
            data: NIOAny,
            promise: EventLoopPromise<Void>?
        ) {
            self.payloads.append(Dam.unwrapOutboundIn(data))
            self.held.append(promise)
        }

        func letGo() {
            let held = self.held
            self.held = []
            for promise in held { promise?.succeed() }
        }
    }

    static func damned() throws -> (WebSocketHandlerTests.Rig, Dam) {
        let rig = try WebSocketHandlerTests.Rig.open()
        let dam = Dam()
        try rig.channel.pipeline.syncOperations.addHandler(dam, position: .first)
        return (rig, dam)
    }

    @Test func tooMuchIsRefusedAndNothingIsQueued() throws {
        let (rig, dam) = try Self.damned()
        let half = [UInt8](repeating: 0, count: WebSocketLimits.pendingWriteBytes / 2)
        rig.handler.send(.binary, half, promise: nil)
        rig.channel.embeddedEventLoop.run()
        let before = rig.handler.pendingWriteBytes
        let promise = rig.channel.eventLoop.makePromise(of: Void.self)
        rig.handler.send(.binary, half, promise: promise)
        let error = #expect(throws: WebSocketError.self) { try promise.futureResult.wait() }
        #expect(error?.code == .writeBufferFull)
        #expect(rig.handler.pendingWriteBytes == before)
        dam.letGo()
        rig.channel.embeddedEventLoop.run()
        #expect(rig.handler.pendingWriteBytes == 0)
        let again = rig.channel.eventLoop.makePromise(of: Void.self)
        rig.handler.send(.binary, half, promise: again)
        rig.channel.embeddedEventLoop.run()
        dam.letGo()
        try again.futureResult.wait()
        _ = try? rig.channel.finish()
    }

    @Test func oneFrameOfAnySizeIsTakenWhenNothingWaits() throws {
        let (rig, dam) = try Self.damned()
        let large = [UInt8](repeating: 0, count: WebSocketLimits.pendingWriteBytes + 1)
        let promise = rig.channel.eventLoop.makePromise(of: Void.self)
        rig.handler.send(.binary, large, promise: promise)
        rig.channel.embeddedEventLoop.run()
        dam.letGo()
        try promise.futureResult.wait()
        _ = try? rig.channel.finish()
    }

    @Test func onlyTheLastPingIsAnsweredWhenThereIsNoRoom() throws {
        let (rig, dam) = try Self.damned()
        let full = [UInt8](repeating: 0, count: WebSocketLimits.pendingWriteBytes)
        rig.handler.send(.binary, full, promise: nil)
        rig.channel.embeddedEventLoop.run()
        for index: UInt8 in 1...50 { try rig.read(Wire.frame(9, [index])) }
        #expect(dam.payloads.count == 1)
        dam.letGo()
        rig.channel.embeddedEventLoop.run()
        let pong = try #require(dam.payloads.last).readableBytesView
        #expect(Wire.parseClient(Array(pong))?.opcode == 10)
        #expect(Wire.parseClient(Array(pong))?.payload == [50])
        #expect(dam.payloads.count == 2)
        dam.letGo()
        _ = try? rig.channel.finish()
    }
}
