import NIOCore
import Testing

@testable import WebSocket

struct TLSBuffersTests {
    private let allocator = TLSBuffers.allocator

    @Test(arguments: [16, 16 * 1024, 32 * 1024])
    func aBufferKeepsItsBytesWhereverItGrows(capacity: Int) {
        var buffer = allocator.buffer(capacity: capacity)
        var written: [UInt8] = []
        for step in 0..<40 {
            let bytes = [UInt8](repeating: UInt8(step), count: 1 << min(step, 11))
            buffer.writeBytes(bytes)
            written += bytes
        }
        #expect(buffer.capacity > 32 * 1024)
        #expect(Array(buffer.readableBytesView) == written)
    }

    @Test func buffersOfTheSizesThatTLSAsksForBeginOnAPage() {
        for capacity in [16 * 1024, 32 * 1024] {
            var buffer = allocator.buffer(capacity: capacity)
            buffer.writeInteger(UInt8(1))
            let address = buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
            #expect(address % 4096 == 0)
        }
    }

    @Test func aCopyOfABufferIsItsOwn() {
        var first = allocator.buffer(capacity: 32 * 1024)
        first.writeString("one")
        var second = first
        second.writeString("two")
        #expect(String(buffer: first) == "one")
        #expect(String(buffer: second) == "onetwo")
    }
}
