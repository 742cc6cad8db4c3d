import CAllocations
import Spec
import TestKit
import Testing

@testable import ManagerCore

/// What the messages of a read cost in allocations between the socket and the ring: some for a run,
/// none for a message.
@Suite(.enabled(if: wsm_counts_allocations() != 0, "a sanitizer has its own allocator"))
struct MessagePathAllocationTests {
    private let origin = EventOrigin(
        uid: .sample("allocations"), epoch: 1, name: "a", url: "wss://example.com/")

    /// Of the second half of so many reads, when queue and ring have found their size.
    private func allocations(reads: Int, messages: Int) -> UInt64 {
        var queue = PublishQueue<EventRun>(
            bounds: MessageAmount(messages: 10_000, bytes: 8 << 20), overflow: .block)
        var ring = TopicRing<EventRun>(maxMessages: 4 * messages, maxBytes: 16 << 20)
        let payload = [UInt8](repeating: 0x41, count: 64 * messages)
        let ends = (1...messages).map { 64 * $0 }
        var before: UInt64 = 0
        for read in 0..<(2 * reads) {
            if read == reads { before = wsm_allocations_of_thread() }
            let run = EventRun(
                origin: origin, topic: "t", time: WallTime(nanosecondsSinceEpoch: 0), kind: .text,
                data: .string, firstSequence: UInt64(read * messages + 1),
                payload: payload, ends: ends)
            _ = queue.appendWhole(run)
            while let batch = queue.take(maxCount: 1_000, maxBytes: 1 << 20) {
                for run in batch.runs { ring.append(run) }
                _ = queue.batchDelivered(batch.number)
            }
        }
        return wsm_allocations_of_thread() - before
    }

    @Test func aThousandMessagesCostWhatTenDo() {
        let few = allocations(reads: 100, messages: 10)
        #expect(few <= 100 * 12)
        #expect(allocations(reads: 100, messages: 1_000) <= few)
    }
}
