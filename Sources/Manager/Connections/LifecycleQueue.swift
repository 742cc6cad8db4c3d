import DequeModule
import ManagerCore

/// Lifecycle events on their way to the bus, in order, those of titles that may not act apart.
struct LifecycleQueue {
    struct Item: Sendable {
        var run: EventRun
        var gate: ShardGate
        /// Called when the event is with the bus, or never will be.
        var then: (@Sendable () -> Void)?
    }

    typealias Settled = @Sendable () -> Void

    /// What the publisher does next.
    struct Turn: Sendable {
        var batch: [Item] = []
        var settled: [Settled] = []
        /// Nothing is left, not even held back.
        var isOver = false
    }

    private struct Held {
        var gate: ShardGate
        var items = Deque<Item>()
    }

    private var queue = Deque<Item>()
    private var held: [ObjectIdentifier: Held] = [:]
    private var heldCount = 0
    private var isPublishing = false
    /// Queued, held and in a call, by title.
    private var open: [ObjectIdentifier: Int] = [:]
    private var waitingForQuiet: [ObjectIdentifier: [Settled]] = [:]
    private(set) var dropped: UInt64 = 0
    private(set) var publishedLate: UInt64 = 0

    /// - Returns: whether the publisher has to be started, and what to call.
    mutating func append(_ item: Item) -> (starts: Bool, settled: [Settled]) {
        queue.append(item)
        open[ObjectIdentifier(item.gate), default: 0] += 1
        var settled: [Settled] = []
        if queue.count + heldCount > LifecyclePublisher.maxQueued { dropOldest(&settled) }
        defer { isPublishing = true }
        return (!isPublishing, settled)
    }

    private mutating func dropOldest(_ settled: inout [Settled]) {
        if queue.count > 1 || heldCount == 0 {
            if let item = queue.popFirst() { drop(item, &settled) }
        } else if let key = held.keys.first, let item = held[key]?.items.popFirst() {
            heldCount -= 1
            drop(item, &settled)
        }
    }

    private mutating func drop(_ item: Item, _ settled: inout [Settled]) {
        dropped += 1
        settle(item, &settled)
    }

    private mutating func settle(_ item: Item, _ settled: inout [Settled]) {
        if let then = item.then { settled.append(then) }
        let key = ObjectIdentifier(item.gate)
        guard let left = open[key], left > 1 else {
            open[key] = nil
            settled += waitingForQuiet.removeValue(forKey: key) ?? []
            return
        }
        open[key] = left - 1
    }

    func isQuiet(_ gate: ShardGate) -> Bool { open[ObjectIdentifier(gate)] == nil }

    /// - Returns: true if it is quiet now; then nothing was noted.
    mutating func waitsForQuiet(_ gate: ShardGate, _ then: @escaping Settled) -> Bool {
        if isQuiet(gate) { return true }
        waitingForQuiet[ObjectIdentifier(gate), default: []].append(then)
        return false
    }

    /// Takes the next batch; each title is asked once for all of it.
    mutating func nextTurn() -> Turn {
        var turn = Turn()
        var mayAct: [ObjectIdentifier: Bool] = [:]
        lookAtHeld(&turn, &mayAct)
        while turn.batch.count < LifecyclePublisher.batch, let item = queue.popFirst() {
            let key = ObjectIdentifier(item.gate)
            if item.gate.isEnded {
                drop(item, &turn.settled)
            } else if mayAct[key] ?? item.gate.mayAct {
                mayAct[key] = true
                turn.batch.append(item)
            } else {
                mayAct[key] = false
                held[key, default: Held(gate: item.gate)].items.append(item)
                heldCount += 1
            }
        }
        turn.isOver = turn.batch.isEmpty && heldCount == 0
        if turn.isOver { isPublishing = false }
        return turn
    }

    /// What is held and may go now goes first; it is the older.
    private mutating func lookAtHeld(_ turn: inout Turn, _ mayAct: inout [ObjectIdentifier: Bool]) {
        for (key, waiting) in held {
            if waiting.gate.isEnded {
                for item in waiting.items { drop(item, &turn.settled) }
            } else if waiting.gate.mayAct {
                mayAct[key] = true
                queue.prepend(contentsOf: waiting.items)
            } else {
                mayAct[key] = false
                continue
            }
            heldCount -= waiting.items.count
            held[key] = nil
        }
    }

    /// - Returns: what to call, and whether the bus is better left alone for a while.
    mutating func answered(
        _ batch: [Item], _ answer: PublishAnswer, isLate: Bool
    ) -> (settled: [Settled], waits: Bool) {
        var settled: [Settled] = []
        var retried: [Item] = []
        var isAway = false
        for (index, item) in batch.enumerated() {
            switch answer.outcome(at: index) {
            case .unavailable:
                isAway = true
                retried.append(item)
            case .fenced, .notTried:
                retried.append(item)
            case .accepted:
                if isLate { publishedLate += 1 }
                settle(item, &settled)
            case .refused:
                settle(item, &settled)
            }
        }
        queue.prepend(contentsOf: retried)
        return (settled, isAway)
    }
}

extension PublishAnswer {
    /// A missing outcome is one that is not known.
    fileprivate func outcome(at index: Int) -> PublishOutcome {
        switch self {
        case .accepted: .accepted
        case .outcomes(let outcomes):
            index < outcomes.count ? outcomes[index] : .unavailable("no outcome")
        }
    }
}
