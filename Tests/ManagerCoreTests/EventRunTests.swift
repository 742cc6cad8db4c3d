import ManagerCore
import Spec
import Testing

@Suite struct EventRunTests {
    private let origin: EventOrigin

    init() throws {
        origin = EventOrigin(
            uid: try #require(ConnectionUID(rawValue: "u-1")), epoch: 7, name: "feed",
            url: "wss://feed.example")
    }

    /// Payloads of one read, the first with sequence number 10.
    private func run(_ payloads: [String]) -> EventRun {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for payload in payloads {
            bytes += payload.utf8
            ends.append(bytes.count)
        }
        return EventRun(
            origin: origin, topic: "t", time: WallTime(nanosecondsSinceEpoch: 5), kind: .text,
            data: .string, firstSequence: 10, payload: bytes, ends: ends)
    }

    private func texts(_ run: EventRun) -> [String] {
        [run].events.map { String(decoding: $0.payload, as: UTF8.self) }
    }

    @Test func anEventOfARunIsTheEventItWouldBeAlone() {
        var alone = origin.message(
            sequence: 11, topic: "t", time: WallTime(nanosecondsSinceEpoch: 5),
            payload: Array("bb".utf8), kind: .text)
        alone.data = .string
        let run = run(["a", "bb", ""])
        #expect(run[1] == alone)
        #expect(EventRun(alone)[0] == alone)
        #expect(run.id(at: 2).sequence == 12)
        #expect(run.lastSequence == 12)
        #expect(run.bytes == (0..<3).reduce(0) { $0 + run.bytes(at: $1) })
        #expect(run.bytes(at: 1) == alone.bufferedBytes)
    }

    /// Cut at every two places, events keep their payload, their number and their size.
    @Test func aPartHasTheEventsOfTheWhole() {
        let payloads = ["one", "", "three", "4", ""]
        let whole = run(payloads)
        for end in 1...5 {
            for start in 0..<end {
                var part = whole.prefix(end)
                if start > 0 { part.removeFirst(start) }
                #expect(texts(part) == Array(payloads[start..<end]))
                #expect(part.count == end - start)
                #expect(part.id(at: 0).sequence == 10 + UInt64(start))
                #expect(part.lastSequence == 10 + UInt64(end - 1))
                #expect(part.bytes == (0..<part.count).reduce(0) { $0 + part.bytes(at: $1) })
                for limit in -1...part.bytes + 1 {
                    let within = (1...part.count).last { part.prefix($0).bytes <= limit } ?? 0
                    #expect(part.countWithin(limit) == within, "\(start), \(end), \(limit)")
                }
            }
        }
    }
}
