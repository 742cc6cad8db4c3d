import Testing

@testable import WebSocket

/// How the messages of a read lie in memory.
@Suite struct MessageSegmentTests {
    private let mixed =
        Wire.text("a") + Wire.text("") + Wire.frame(2, [1, 2]) + Wire.frame(2, [3])
        + Wire.text("bc")

    @Test func neighboursOfOneKindShareASegment() {
        let segments = Decoding.whole(mixed).segments
        #expect(segments.map(\.kind) == [.text, .binary, .text])
        #expect(segments.map(\.ends) == [[1, 1], [2, 3], [2]])
        #expect(segments[1].bytes == [1, 2, 3])
        #expect(segments.messageCount == 5)
    }

    @Test func aControlFrameOrAFragmentedMessageEndsASegment() {
        let bytes =
            Wire.text("a") + Wire.frame(9) + Wire.text("b")
            + Wire.text("c", fin: false) + Wire.frame(0, Array("d".utf8)) + Wire.text("e")
        let batch = Decoding.whole(bytes)
        #expect(batch.segments.map(\.count) == [1, 1, 1, 1])
        #expect(batch.texts == ["a", "b", "cd", "e"])
        #expect(batch.controls == [.ping([])])
    }

    /// What is queued counts by its payload, so a small message must not hold the memory of a read:
    /// neither of the one it came with nor of a large one that has only begun.
    @Test func aSegmentHoldsNoMoreMemoryThanItsMessages() {
        let begun = Wire.frame(2, [UInt8](repeating: 0, count: 60_000)).prefix(50_000)
        for segment in Decoding.whole(mixed + begun).segments {
            #expect(segment.bytes.capacity < 100)
            #expect(segment.ends.capacity < 100)
        }
        let alternating = (0..<200).flatMap { Wire.frame($0 % 2 == 0 ? 1 : 2, [0x41]) }
        let segments = Decoding.whole(alternating).segments
        #expect(segments.count == 200)
        #expect(segments.allSatisfy { $0.bytes.capacity < 100 && $0.ends.capacity < 100 })
    }
}
