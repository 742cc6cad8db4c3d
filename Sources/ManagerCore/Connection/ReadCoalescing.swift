/// Whether an event loop that is woken for message after message of many connections waits for more
/// of them before it looks again.
///
/// Where messages come one by one the waking is most of what each costs, and what it finds is out of
/// the caches. A loop that rests for a moment finds several at once. It is what network cards do
/// with their interrupts: seldom woken, it rests never; woken without a pause, it takes what came in
/// an interval together. One connection alone is never waited for, so that an answer that is the
/// next question's cue comes as soon as it can.
///
/// One for each loop.
package struct ReadCoalescing: Sendable {
    /// Reads in a row, each soon after the one before, that make a loop crowded. A pair of
    /// connections that happens to be read together does not.
    package static let readsInARow = 4
    /// A read is soon after another within so many intervals: after a rest the next is, at such a
    /// rate, a whole interval and some waiting later.
    package static let soon = 2
    /// A turn that brings more does not cost its waking; in bytes. What comes that fast would also
    /// fill the sockets' buffers in a rest.
    package static let maxTurnBytes = 65_536

    /// From the begin of a turn to that of the next; zero: no rest at all.
    private let interval: Duration
    private var last = Moment.distantPast
    private var lastReader: ObjectIdentifier?
    private var row = 0
    /// The turn after which the loop may rest.
    private var turn: Turn?

    private struct Turn {
        let began: Moment
        var bytes = 0
        var isTakenAtOnce = true
    }

    package init(interval: Duration) {
        self.interval = interval
    }

    /// A connection was read.
    ///
    /// - Parameters:
    ///   - isTakenAtOnce: nothing of what was read waits: who waits for a broker's answer on the
    ///     same loop must not rest.
    /// - Returns: whether ``turnEnded(now:)`` is to be called at the end of this turn.
    package mutating func read(
        _ bytes: Int, by reader: ObjectIdentifier, isTakenAtOnce: Bool, now: Moment
    ) -> Bool {
        guard interval > .zero else { return false }
        guard turn == nil else {
            add(bytes, isTakenAtOnce)
            return false
        }
        let isSoon = now - last < interval * Self.soon
        row = isSoon && reader != lastReader ? row + 1 : 0
        last = now
        lastReader = reader
        guard row >= Self.readsInARow else { return false }
        turn = Turn(began: now)
        add(bytes, isTakenAtOnce)
        return true
    }

    private mutating func add(_ bytes: Int, _ isTakenAtOnce: Bool) {
        turn?.bytes += bytes
        if !isTakenAtOnce { turn?.isTakenAtOnce = false }
    }

    /// - Returns: how long the loop is to rest now: at most the interval, zero for not at all.
    package mutating func turnEnded(now: Moment) -> Duration {
        guard let turn = turn.take() else { return .zero }
        guard turn.isTakenAtOnce, turn.bytes <= Self.maxTurnBytes else { return .zero }
        return max(.zero, interval - (now - turn.began))
    }
}
