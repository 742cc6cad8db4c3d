import CAllocations
import Testing

@testable import WebSocket

/// What a read costs in allocations: some for each row of messages, none for a message.
@Suite(.enabled(if: wsm_counts_allocations() != 0, "a sanitizer has its own allocator"))
struct DecoderAllocationTests {
    private func allocations(_ bytes: [UInt8], reads: Int = 1) -> UInt64 {
        var decoder = FrameDecoder(maxMessageSize: 1 << 20)
        var batch = FrameBatch()
        var before: UInt64 = 0
        // The first one finds the batch its size, and whatever else is found once.
        for read in 0...reads {
            if read == 1 { before = wsm_allocations_of_thread() }
            bytes.withUnsafeBytes { decoder.decode($0, into: &batch) }
            batch.segments.removeAll(keepingCapacity: true)
        }
        return wsm_allocations_of_thread() - before
    }

    private func texts(_ count: Int, of size: Int) -> [UInt8] {
        let message = Wire.frame(1, [UInt8](repeating: 0x41, count: size))
        return (0..<count).flatMap { _ in message }
    }

    /// Up to as many as a segment holds.
    @Test(arguments: [(0, 4_096), (1, 4_096), (64, 4_000), (512, 500), (4_096, 60)])
    func manyMessagesCostWhatTenDo(size: Int, count: Int) {
        let few = allocations(texts(10, of: size))
        #expect(few <= 4)
        #expect(allocations(texts(count, of: size)) == few)
    }

    @Test func textBeyondASCIICostsNoMore() {
        let message = Wire.frame(1, Array("größer als ein Zeichen: 漢字 🙂".utf8))
        let few = allocations((0..<10).flatMap { _ in message })
        #expect(allocations((0..<1_000).flatMap { _ in message }) == few)
    }

    @Test func everyReadCostsTheSame() {
        let bytes = texts(100, of: 64)
        #expect(allocations(bytes, reads: 50) == 50 * allocations(bytes))
    }
}
