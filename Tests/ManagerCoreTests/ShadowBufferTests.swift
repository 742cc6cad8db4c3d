import ManagerCore
import Spec
import Testing

@Suite struct ShadowBufferTests {
    private func block(_ texts: [String], isText: Bool = true) -> ShadowBuffer.Block {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for text in texts {
            bytes += Array(text.utf8)
            ends.append(bytes.count)
        }
        return ShadowBuffer.Block(
            isText: isText, time: WallTime(nanosecondsSinceEpoch: 0), bytes: bytes, ends: ends)
    }

    private func digest(_ text: String, isText: Bool = true) -> UInt64 {
        Array(text.utf8).withUnsafeBytes { FrameDigest.of($0, isText: isText) }
    }

    private func texts(_ buffer: ShadowBuffer) -> [String] {
        var buffer = buffer
        return buffer.takeAll().flatMap { block in
            block.ends.indices.map { index in
                let start = index == 0 ? 0 : block.ends[index - 1]
                return String(decoding: block.bytes[start..<block.ends[index]], as: UTF8.self)
            }
        }
    }

    @Test func framesGoFromTheFrontOverTheBordersOfReads() {
        var buffer = ShadowBuffer()
        buffer.append(block(["a", "", "ccc"]))
        buffer.append(block(["d", "e"]))
        #expect(buffer.count == 5)
        #expect(buffer.held.bytes == 6 + 5 * OutboundEvent.overhead)
        for left in [["", "ccc", "d", "e"], ["ccc", "d", "e"], ["d", "e"], ["e"], []] {
            let removed = buffer.removeFirst(1)
            #expect(removed.messages == 1)
            #expect(texts(buffer) == left)
        }
        #expect(buffer.held == MessageAmount())
    }

    @Test func thePlaceIsFoundAndOnlyTheRestIsKept() {
        var buffer = ShadowBuffer()
        buffer.append(block((1...10).map { "frame \($0)" }))
        #expect(buffer.canMatch)
        let published = (3...7).map { digest("frame \($0)") }
        #expect(buffer.match(published) == .exact(drop: 7))
        #expect(buffer.match(published.map { $0 &+ 1 }) == .none)
        buffer.removeFirst(7)
        #expect(texts(buffer) == ["frame 8", "frame 9", "frame 10"])
    }

    @Test func trimmingKeepsWhatALaterMatchNeeds() {
        var buffer = ShadowBuffer()
        buffer.append(block((1...1_000).map { "frame \($0)" }))
        let published = (745...1_000).map { digest("frame \($0)") }
        let removed = buffer.trim(published)
        #expect(removed.messages == 1_000 - ConnectionDigests.longest)
        buffer.append(block(["frame 1001"]))
        let later = (746...1_001).map { digest("frame \($0)") }
        #expect(buffer.match(later) == .exact(drop: ConnectionDigests.longest + 1))
    }

    @Test func shrinkingKeepsTheNewest() {
        var buffer = ShadowBuffer()
        buffer.append(block((1...10).map { "f\($0)" }))
        let removed = buffer.shrink(to: MessageAmount(messages: 4, bytes: 1 << 20))
        #expect(removed.messages == 6)
        #expect(texts(buffer) == ["f7", "f8", "f9", "f10"])
        #expect(buffer.isFull(MessageAmount(messages: 4, bytes: 1 << 20)))
    }

    @Test func digestsTellKindsLengthsAndContentsApart() {
        let texts = ["", "\0", "\0\0", "a", "b", "ab", "ba", "12345678", "12345679", "123456780"]
        var seen: Set<UInt64> = []
        for text in texts {
            seen.insert(digest(text))
            seen.insert(digest(text, isText: false))
        }
        #expect(seen.count == texts.count * 2)
        // Every instance must find the same, whatever it was built with.
        #expect(digest("frame") == digest("frame"))
    }

    @Test func theLastFramesThatWerePublishedAreKept() {
        let origin = EventOrigin(
            uid: ConnectionUID(UUIDBytes(high: 1, low: 2)), epoch: 3, name: "c", url: "ws://a/")
        func run(_ numbers: ClosedRange<Int>) -> EventRun {
            let block = block(numbers.map { "frame \($0)" })
            return EventRun(
                origin: origin, topic: "t", time: block.time, kind: .text, data: .auto,
                firstSequence: UInt64(numbers.lowerBound), payload: block.bytes, ends: block.ends)
        }
        var frames = RecentFrames()
        frames.published([run(1...10), run(11...600), run(601...602)])
        #expect(frames.lastSequence == 602)
        #expect(frames.digests == (347...602).map { digest("frame \($0)") })
        frames.published(run(603...604), at: 0)
        #expect(frames.digests.last == digest("frame 603"))
        #expect(frames.digests.count == ConnectionDigests.longest)
    }
}
