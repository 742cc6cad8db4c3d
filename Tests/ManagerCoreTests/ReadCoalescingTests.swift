import Testing

@testable import ManagerCore

@Suite struct ReadCoalescingTests {
    private final class Reader {}

    private static let interval: Duration = .microseconds(200)
    private let readers = (0..<5).map { _ in Reader() }
    private var coalescing = ReadCoalescing(interval: interval)

    /// Reads of connections in turns, one every so often.
    ///
    /// - Returns: the number of the read, from 1, whose turn's end is asked for; nil for none.
    private mutating func firstCrowded(
        every gap: Duration, of connections: Int, reads: Int = 50
    ) -> Int? {
        (1...reads).first { read in
            coalescing.read(
                100, by: ObjectIdentifier(readers[read % connections]), isTakenAtOnce: true,
                now: Moment(gap * read))
        }
    }

    /// In a turn that is crowded already.
    private mutating func read(_ bytes: Int, isTakenAtOnce: Bool = true, at now: Moment) {
        let isFirst = coalescing.read(
            bytes, by: ObjectIdentifier(readers[0]), isTakenAtOnce: isTakenAtOnce, now: now)
        #expect(!isFirst)
    }

    @Test mutating func readsInARowOfManyConnectionsMakeALoopRest() {
        let gap: Duration = .microseconds(50)
        let first = firstCrowded(every: gap, of: 3)
        // The very first is not soon after another.
        #expect(first == 1 + ReadCoalescing.readsInARow)
        let began = Moment(gap * (first ?? 0))
        let rest = coalescing.turnEnded(now: began + .microseconds(30))
        #expect(rest == Self.interval - .microseconds(30))
    }

    /// At this rate a rest ends before the next message comes.
    @Test mutating func afterARestALoopStaysCrowdedAtTheRateThatMadeItSo() {
        let first = firstCrowded(every: .microseconds(399), of: 3)
        #expect(first != nil)
    }

    @Test mutating func whatComesSeldomIsNotWaitedFor() {
        let first = firstCrowded(every: Self.interval * ReadCoalescing.soon, of: 3)
        #expect(first == nil)
        let rest = coalescing.turnEnded(now: Moment(.seconds(1)))
        #expect(rest == .zero)
    }

    @Test mutating func oneConnectionAloneIsNotWaitedFor() {
        let first = firstCrowded(every: .microseconds(10), of: 1)
        #expect(first == nil)
    }

    @Test mutating func withoutAnIntervalALoopNeverRests() {
        coalescing = ReadCoalescing(interval: .zero)
        let first = firstCrowded(every: .microseconds(10), of: 3)
        #expect(first == nil)
    }

    @Test mutating func aLongTurnHasBeenItsOwnRest() {
        let first = firstCrowded(every: .microseconds(10), of: 3)
        #expect(first == 5)
        let rest = coalescing.turnEnded(now: Moment(.milliseconds(3)))
        #expect(rest == .zero)
    }

    @Test(arguments: [0, 1]) mutating func aTurnThatBringsMuchIsNotFollowedByARest(above: Int) {
        let first = firstCrowded(every: .microseconds(10), of: 3)
        #expect(first == 5)
        let began = Moment(.microseconds(50))
        // The row has brought 500 bytes.
        read(ReadCoalescing.muchForATurn - 501 + above, at: began)
        let rest = coalescing.turnEnded(now: began)
        #expect((rest > .zero) == (above == 0))
    }

    /// Five sockets that are full, read in the same order in each turn.
    @Test mutating func whatMakesALoopCrowdedIsPartOfItsTurn() {
        for turn in 0..<10 {
            let now = Moment(.microseconds(150 * turn))
            for reader in readers {
                _ = coalescing.read(
                    ReadCoalescing.muchForATurn / 2, by: ObjectIdentifier(reader),
                    isTakenAtOnce: true, now: now)
            }
            let rest = coalescing.turnEnded(now: now)
            #expect(rest == .zero, "turn \(turn)")
        }
    }

    @Test mutating func aReadThatMadeALoopCrowdedMayWaitForTheBus() {
        var isAsked = false
        for (number, reader) in readers.enumerated() {
            isAsked = coalescing.read(
                1, by: ObjectIdentifier(reader), isTakenAtOnce: number != 1, now: Moment(.zero))
        }
        #expect(isAsked)
        let rest = coalescing.turnEnded(now: Moment(.zero))
        #expect(rest == .zero)
    }

    @Test mutating func whereSomethingWaitsForTheBusALoopGoesOn() {
        let first = firstCrowded(every: .microseconds(10), of: 3)
        #expect(first == 5)
        let began = Moment(.microseconds(50))
        read(100, isTakenAtOnce: false, at: began)
        read(100, at: began)
        let rest = coalescing.turnEnded(now: began)
        #expect(rest == .zero)
        // The next turn is judged by itself.
        let next = began + .microseconds(10)
        let isFirst = coalescing.read(
            100, by: ObjectIdentifier(readers[1]), isTakenAtOnce: true, now: next)
        #expect(isFirst)
        let nextRest = coalescing.turnEnded(now: next)
        #expect(nextRest == Self.interval)
    }
}
