import ManagerCore
import TestKit
import Testing

@Suite struct ReaderPositionsTests {
    @Test func withoutReadersNobodyIsFirst() {
        var positions = ReaderPositions()
        #expect(positions.first() == nil && positions.isEmpty)
        let reader = positions.add(at: 7)
        #expect(positions.first() == 7 && positions[reader] == 7)
        positions.remove(reader)
        #expect(positions.first() == nil && positions[reader] == .max)
    }

    @Test func aReaderThatGoesBackIsFirst() {
        var positions = ReaderPositions()
        let (ahead, behind) = (positions.add(at: 9), positions.add(at: 5))
        positions.move(ahead, to: 2)
        #expect(positions.first() == 2)
        positions.move(ahead, to: 6)
        #expect(positions.first() == 5)
        positions.remove(behind)
        #expect(positions.first() == 6)
    }

    @Test func readersThatStandTogetherMoveOneByOne() {
        var positions = ReaderPositions()
        let readers = (0..<3).map { _ in positions.add(at: 1) }
        for (moved, reader) in readers.enumerated() {
            #expect(positions.first() == 1, "\(moved)")
            positions.move(reader, to: 4)
        }
        #expect(positions.first() == 4)
    }

    @Test(arguments: UInt64(1)...10) func theFirstIsTheLeast(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var positions = ReaderPositions()
        var known: [ReaderPositions.ID: UInt64] = [:]
        for _ in 0..<2000 {
            let position = UInt64.random(in: 0...50, using: &generator)
            switch (
                Int.random(in: 0..<4, using: &generator),
                known.keys.randomElement(using: &generator)
            ) {
            case (0, _), (_, nil): known[positions.add(at: position)] = position
            case (1, let reader?):
                positions.remove(reader)
                known[reader] = nil
            case (_, let reader?):
                positions.move(reader, to: position)
                known[reader] = position
            }
            #expect(positions.first() == known.values.min(), "seed \(seed)")
        }
    }
}
