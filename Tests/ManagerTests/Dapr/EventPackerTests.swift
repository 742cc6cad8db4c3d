import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

struct EventPackerTests {
    private func run(
        _ sequences: ClosedRange<UInt64>, bytes: Int = 10, batch: ConnectionSpec.PublishBatch,
        batchBytes: Int = 4 << 20, uid: String = "pack",
        order: ConnectionSpec.PublishOrder = .strict
    ) -> EventRun {
        var publish = ConnectionSpec.Publish()
        publish.batch = batch
        publish.batchBytes = batchBytes
        publish.order = order
        return EventRun(
            origin: EventOrigin(uid: .sample(uid), epoch: 1, name: "a", url: "ws://a"),
            topic: "t", time: WallTime(nanosecondsSinceEpoch: 0), kind: .binary, data: .auto,
            delivery: EventDelivery(publish), firstSequence: sequences.lowerBound,
            payload: [UInt8](repeating: 1, count: sequences.count * bytes),
            ends: (1...sequences.count).map { $0 * bytes })
    }

    private func pack(_ runs: [EventRun], maxBytes: Int = 4 << 20) -> [EventPacker.Packed] {
        var packer = EventPacker(runs, maxBytes: maxBytes)
        var packed: [EventPacker.Packed] = []
        while let next = packer.next() { packed.append(next) }
        return packed
    }

    private func sequences(_ packed: [EventPacker.Packed]) -> [UInt64] {
        packed.flatMap(\.runs).events.map(\.id.sequence)
    }

    @Test func withoutArraysAMessageIsAnEvent() {
        let packed = pack([run(1...3, batch: .none), run(4...5, batch: .none)])
        #expect(packed.map(\.runs.messageCount) == [1, 1, 1, 1, 1])
        #expect(sequences(packed) == [1, 2, 3, 4, 5])
        #expect(packed[3].bytes == CloudEventWriter.json(packed[3].runs[0][0], data: .auto))
    }

    @Test func anArrayReachesOverReads() {
        let packed = pack([
            run(1...3, batch: .array), run(4...4, batch: .array), run(5...9, batch: .array),
        ])
        #expect(packed.map(\.runs.messageCount) == [9])
        #expect(sequences(packed) == Array(1...9))
    }

    @Test(arguments: [1_024, 2_000, 10_000]) func anArrayStaysBelowBothBounds(bound: Int) {
        let runs = (0..<10).map { run($0 * 10 + 1...$0 * 10 + 10, bytes: 60, batch: .array) }
        for packed in [
            pack(runs, maxBytes: bound),
            pack(
                (0..<10).map {
                    run($0 * 10 + 1...$0 * 10 + 10, bytes: 60, batch: .array, batchBytes: bound)
                }),
        ] {
            #expect(sequences(packed) == Array(1...100))
            #expect(
                packed.allSatisfy { ($0.bytes?.count ?? 0) <= bound || $0.runs.messageCount == 1 })
        }
    }

    @Test func connectionsAreRowsOfTheirOwn() {
        let runs = [
            run(1...2, batch: .none), run(1...1, batch: .none, uid: "other"),
            run(3...3, batch: .none), run(4...4, batch: .none, order: .none),
        ]
        let rows = DaprBus.rows(runs)
        #expect(rows.map(\.places) == [[0, 1, 3], [2], [4]])
        #expect(rows[0].runs.events.map(\.id.sequence) == [1, 2, 3])
        #expect(rows[0].partition == "/connections/a")
    }
}
