import NIOCore
import Testing

@testable import WebSocket

/// The buffer of the loop that a test's thread stands for.
struct ReadBufferTests {
    private let allocator = ByteBufferAllocator()

    private func address(_ buffer: ByteBuffer) -> UnsafeRawPointer? {
        buffer.withVeryUnsafeBytes { $0.baseAddress }
    }

    @Test func aReadHasTheRoomThatItIsGiven() {
        let shared = ReadBuffer()
        for room in [WebSocketLimits.shallowRead, WebSocketLimits.readBuffer, 1] {
            var buffer = shared.take(allocator, room: room)
            #expect(buffer.readableBytes == 0)
            #expect(buffer.writableBytes == room)
            buffer.writeRepeatingByte(7, count: room)
            #expect(buffer.readableBytes == room)
            shared.giveBack(buffer)
        }
    }

    @Test func allReadsShareOneBuffer() {
        let shared = ReadBuffer()
        let places = [10, WebSocketLimits.readBuffer, 10].map { placeOfRead(shared, room: $0) }
        #expect(Set(places).count == 1)
    }

    /// Of a read that is over, whose buffer nobody has any more.
    private func placeOfRead(_ shared: ReadBuffer, room: Int) -> UnsafeRawPointer? {
        let buffer = shared.take(allocator, room: room)
        shared.giveBack(buffer)
        return address(buffer)
    }

    @Test func aBufferThatIsKeptIsMadeUpFor() {
        let shared = ReadBuffer()
        let kept = shared.take(allocator, room: 10)
        #expect(address(shared.take(allocator, room: 10)) != address(kept))
    }

    @Test func aChannelReadsLittleFirstThenAsDeepAsItIsTold() {
        var new = SharedReadAllocator()
        let first = new.buffer(allocator: allocator)
        #expect(first.capacity < 64)
        let asksEachTime = new.record(actualReadBytes: 16)
        #expect(asksEachTime)
        #expect(new.buffer(allocator: allocator).writableBytes == WebSocketLimits.shallowRead)
        let deep = SharedReadAllocator(deep: true).buffer(allocator: allocator)
        #expect(deep.writableBytes == WebSocketLimits.readBuffer)
        let shallow = SharedReadAllocator(deep: false).buffer(allocator: allocator)
        #expect(shallow.writableBytes == WebSocketLimits.shallowRead)
    }
}
