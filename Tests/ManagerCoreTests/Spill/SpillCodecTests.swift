import Spec
import TestKit
import Testing

@testable import ManagerCore

struct SpillCodecTests {
    private func run(_ payloads: [[UInt8]], kind: OutboundEvent.Kind = .binary) -> EventRun {
        var publish = ConnectionSpec.Publish()
        publish.batch = .array
        publish.attributes = .upstream
        var ends: [Int] = []
        for payload in payloads { ends.append((ends.last ?? 0) + payload.count) }
        return EventRun(
            origin: EventOrigin(
                uid: .sample("spill"), epoch: 7, name: "a", url: "wss://example.com/ü"),
            topic: "t", time: WallTime(nanosecondsSinceEpoch: -5), kind: kind, data: .base64,
            delivery: EventDelivery(publish), firstSequence: 41, payload: payloads.flatMap { $0 },
            ends: ends)
    }

    private func records(_ bytes: [UInt8]) -> (runs: [EventRun], damaged: Int) {
        var (runs, damaged, place) = ([EventRun](), 0, 0)
        while true {
            switch SpillCodec.read(bytes[place...]) {
            case .record(let run, let end): (runs, place) = (runs + [run], end)
            case .damaged(let end): (damaged, place) = (damaged + 1, end)
            case .end: return (runs, damaged)
            }
        }
    }

    @Test func everyEventComesBackWhole() {
        let written = [
            run([[1], [], Array(0...255)]), run([Array("x".utf8)], kind: .text),
            run([[UInt8](repeating: 7, count: 100_000)], kind: .json),
        ]
        var bytes: [UInt8] = []
        for run in written { SpillCodec.append(run, to: &bytes) }
        #expect(records(bytes).runs.events == written.events)
    }

    @Test func aPartOfARunIsARunOfItsOwn() {
        var bytes: [UInt8] = []
        let whole = run([[1], [2, 2], [3]])
        SpillCodec.append(whole.part(1..<3), to: &bytes)
        let read = records(bytes).runs.events
        #expect(read == [whole[1], whole[2]])
        #expect(read.map(\.id.sequence) == [42, 43])
    }

    @Test func aWriteThatWasCutShortIsTheEnd() {
        var bytes: [UInt8] = []
        SpillCodec.append(run([[1]]), to: &bytes)
        let first = bytes.count
        SpillCodec.append(run([[2], [3]]), to: &bytes)
        for length in first..<bytes.count {
            let read = records(Array(bytes[..<length]))
            #expect(read.runs.count == 1 && read.damaged == 0, "\(length) bytes")
        }
    }

    @Test func damageIsFoundAndPassedBy() {
        var bytes: [UInt8] = []
        SpillCodec.append(run([[1]]), to: &bytes)
        let first = bytes.count
        SpillCodec.append(run([[2]]), to: &bytes)
        for index in SpillCodec.frameBytes..<first {
            var broken = bytes
            broken[index] ^= 1
            let read = records(broken)
            #expect(read.damaged == 1 && read.runs.events == [run([[2]])].events, "byte \(index)")
        }
    }

    @Test(arguments: 1...20) func noBytesTrapTheReader(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var bytes: [UInt8] = []
        SpillCodec.append(run([[1], [2]]), to: &bytes)
        for _ in 0..<200 {
            var broken = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<broken.count, using: &generator)
                broken[index] = UInt8.random(in: 0...255, using: &generator)
            }
            // The sum would hide the reader behind it, so the body is read without it too.
            _ = SpillCodec.read(broken[...])
            var reader = SpillReader(rest: broken[...])
            while reader.text() != nil {}
            _ = reader.sizes()
        }
    }

    @Test func aTornMarkIsNone() throws {
        let mark = SpillPosition(segment: 1 << 40, offset: 77, skipped: 3)
        #expect(SpillPosition(bytes: mark.bytes) == mark)
        for index in mark.bytes.indices {
            var broken = mark.bytes
            broken[index] ^= 0x10
            #expect(SpillPosition(bytes: broken) == nil)
        }
        #expect(SpillPosition(bytes: Array(mark.bytes.dropLast())) == nil)
    }

    @Test func theChecksumIsTheStandardOne() {
        #expect(CRC32.sum(of: Array("123456789".utf8)[...]) == 0xCBF4_3926)
    }
}
