/// Whether an event loop that is woken for message after message of several connections waits for
/// more of them before it looks again.
///
/// Where messages come one by one the waking is most of what each costs, and what it finds is out of
/// the caches. A loop that rests for a moment finds several at once. It is what network cards do
/// with their interrupts: seldom woken, it rests never; woken without a pause, it takes what came in
/// an interval together. One connection alone is never waited for, so that an answer that is the
/// next question's cue comes as soon as it can.
///
/// One for each loop.
package struct ReadCoalescing: Sendable {
    /// Reads, each soon after one of another connection, that make a loop crowded. A pair of
    /// connections that happens to be read together does not.
    package static let readsInARow = 4
    /// A read is soon after another within so many intervals: after a rest the next is, at such a
    /// rate, a whole interval and some waiting later.
    package static let soon = 2
    /// A turn that brings as much does not cost its waking; in bytes. What comes that fast would
    /// also fill the sockets' buffers in a rest.
    package static let muchForATurn = 65_536

    /// From the read that begins a turn to that of the next; zero: nothing is
    /// ever soon, so that no loop rests.
    private let interval: Duration
    private var last = Moment.distantPast
    private var lastReader: ObjectIdentifier?
    private var row = 0
    /// Of the read that made the loop crowded, while the end of its turn is awaited.
    private var began: Moment?
    /// What the row's reads brought since the last turn ended.
    private var bytes = 0
    private var isTakenAtOnce = true

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
        if began == nil {
            let isSoon = now - last < interval * Self.soon
            row = isSoon && reader != lastReader ? row + 1 : 0
            if row == 0 { forgetAmounts() }
        }
        last = now
        lastReader = reader
        self.bytes += bytes
        if !isTakenAtOnce { self.isTakenAtOnce = false }
        guard began == nil, row >= Self.readsInARow else { return false }
        began = now
        return true
    }

    /// - Returns: how long the loop is to rest now: at most the interval, zero for not at all.
    package mutating func turnEnded(now: Moment) -> Duration {
        guard let began = began.take() else { return .zero }
        defer { forgetAmounts() }
        guard isTakenAtOnce, bytes < Self.muchForATurn else { return .zero }
        return max(.zero, interval - (now - began))
    }

    private mutating func forgetAmounts() {
        bytes = 0
        isTakenAtOnce = true
    }
}
