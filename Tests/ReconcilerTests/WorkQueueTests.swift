import ManagerCore
import Reconciler
import Testing

@Suite struct WorkQueueTests {
    private let start = Moment(.zero)

    private func queue() -> WorkQueue<String> {
        WorkQueue(retryBase: .seconds(1), retryCap: .seconds(30))
    }

    private func after(_ seconds: Int) -> Moment {
        start.advanced(by: .seconds(seconds))
    }

    @Test func keysComeOutOnceInTheOrderTheyWereAdded() {
        var queue = queue()
        for key in ["a", "b", "a", "c", "b"] { queue.add(key, now: start) }
        #expect(queue.queuedCount == 3)
        #expect(queue.next(now: start) == "a")
        #expect(queue.next(now: start) == "b")
        #expect(queue.next(now: start) == "c")
        #expect(queue.next(now: start) == nil)
        #expect(queue.processingCount == 3)
    }

    @Test func aKeyIsNeverWorkedOnTwiceAtOnceAndIsQueuedAgainAfterwards() {
        var queue = queue()
        queue.add("a", now: start)
        #expect(queue.next(now: start) == "a")
        queue.add("a", now: start)
        queue.add("a", now: start)
        #expect(queue.next(now: start) == nil)
        queue.done("a", now: start)
        #expect(queue.next(now: start) == "a")
        queue.done("a", now: start)
        #expect(queue.next(now: start) == nil)
        #expect(queue.nextDeadline == nil)
    }

    @Test func theEarlierOfTwoDelaysWins() {
        var queue = queue()
        queue.add("a", after: .seconds(10), now: start)
        queue.add("a", after: .seconds(5), now: start)
        queue.add("a", after: .seconds(20), now: start)
        #expect(queue.nextDeadline == after(5))
        #expect(queue.next(now: after(4)) == nil)
        #expect(queue.next(now: after(5)) == "a")
        queue.done("a", now: after(5))
        #expect(queue.next(now: after(100)) == nil)
    }

    @Test func anAddWithoutDelayBeatsEveryDelay() {
        var queue = queue()
        queue.add("a", after: .seconds(10), now: start)
        queue.add("a", now: start)
        #expect(queue.hasReadyKey)
        #expect(queue.nextDeadline == nil)
        #expect(queue.next(now: start) == "a")
    }

    @Test func ofAnAddDuringWorkAndARequeueTheEarlierCounts() {
        var queue = queue()
        queue.add("a", now: start)
        _ = queue.next(now: start)
        queue.add("a", after: .seconds(3), now: start)
        queue.done("a", requeueAfter: .seconds(30), now: start)
        #expect(queue.nextDeadline == after(3))

        #expect(queue.next(now: after(3)) == "a")
        queue.add("a", after: .seconds(60), now: after(3))
        queue.done("a", requeueAfter: .seconds(30), now: after(3))
        #expect(queue.nextDeadline == after(33))
    }

    @Test func failuresWaitLongerAndASuccessForgetsThem() {
        var queue = queue()
        var generator = SeededNumbers(seed: 1)
        var now = start
        queue.add("a", now: now)
        for failures in 1...10 {
            #expect(queue.next(now: now) == "a")
            let due = queue.failed("a", now: now, using: &generator)
            #expect(queue.failures(of: "a") == failures)
            #expect(queue.nextDeadline == due)
            #expect(now.duration(to: due) >= .seconds(1))
            #expect(now.duration(to: due) <= .seconds(30))
            now = due
        }
        #expect(queue.next(now: now) == "a")
        queue.done("a", now: now)
        #expect(queue.failures(of: "a") == 0)
        queue.add("a", now: now)
        _ = queue.next(now: now)
        let due = queue.failed("a", now: now, using: &generator)
        #expect(now.duration(to: due) <= .seconds(3))
    }

    @Test func anEventShortensTheBackOff() {
        var queue = queue()
        var generator = SeededNumbers(seed: 2)
        queue.add("a", now: start)
        _ = queue.next(now: start)
        queue.failed("a", now: start, using: &generator)
        #expect(queue.next(now: start) == nil)
        queue.add("a", now: start)
        #expect(queue.next(now: start) == "a")
        #expect(queue.failures(of: "a") == 1)
    }

    @Test func aRemovedKeyDoesNotComeOut() {
        var queue = queue()
        queue.add("ready", now: start)
        queue.add("delayed", after: .seconds(1), now: start)
        queue.add("working", now: start)
        queue.remove("ready")
        queue.remove("delayed")
        #expect(queue.next(now: after(5)) == "working")
        queue.add("working", now: start)
        queue.remove("working")
        queue.done("working", now: after(5))
        #expect(queue.next(now: after(60)) == nil)
        #expect(queue.queuedCount == 0)

        queue.add("ready", now: after(60))
        queue.remove("ready")
        queue.add("ready", now: after(60))
        #expect(queue.next(now: after(60)) == "ready")
        #expect(queue.next(now: after(60)) == nil)
    }

    /// The queue against a naive model, over random histories.
    @Test(arguments: UInt64(1)...20) func itAgreesWithASimpleModel(seed: UInt64) {
        var generator = SeededNumbers(seed: seed)
        var queue = WorkQueue<Int>(retryBase: .seconds(1), retryCap: .seconds(8))
        var model = Model()
        var now = start
        for _ in 0..<3000 {
            let key = Int.random(in: 0..<12, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0, 1:
                queue.add(key, now: now)
                model.add(key, at: now, now: now)
            case 2:
                let delay = Duration.milliseconds(Int.random(in: 0...4000, using: &generator))
                queue.add(key, after: delay, now: now)
                model.add(key, at: now.advanced(by: delay), now: now)
            case 3, 4:
                let handedOut = queue.next(now: now)
                #expect((handedOut != nil) == model.hasDueKey(now: now), "seed \(seed)")
                if let handedOut {
                    let wasDue = model.handOut(handedOut, now: now)
                    #expect(wasDue, "seed \(seed)")
                }
            case 5:
                guard let busy = model.processing.keys.min() else { continue }
                let delay: Duration? = Bool.random(using: &generator) ? .seconds(2) : nil
                queue.done(busy, requeueAfter: delay, now: now)
                model.finish(busy, at: delay.map { now.advanced(by: $0) }, now: now)
            case 6:
                guard let busy = model.processing.keys.max() else { continue }
                let due = queue.failed(busy, now: now, using: &generator)
                model.finish(busy, at: due, now: now)
            default:
                if Int.random(in: 0..<20, using: &generator) == 0 {
                    queue.remove(key)
                    model.remove(key)
                } else {
                    now = now.advanced(
                        by: .milliseconds(Int.random(in: 0...900, using: &generator)))
                }
            }
            #expect(queue.queuedCount == model.queued.count, "seed \(seed)")
            #expect(queue.processingCount == model.processing.count, "seed \(seed)")
        }
    }

    /// For each key when it is due; nothing about order.
    private struct Model {
        var queued: [Int: Moment] = [:]
        var processing: [Int: Moment?] = [:]

        mutating func add(
            _ key: Int, at time: Moment, now: Moment
        ) {
            if let again = processing[key] {
                processing[key] = .some(again.map { min($0, time) } ?? time)
            } else {
                queued[key] = min(queued[key] ?? time, time)
            }
        }

        func hasDueKey(now: Moment) -> Bool {
            queued.values.contains { $0 <= now }
        }

        mutating func handOut(_ key: Int, now: Moment) -> Bool {
            guard processing[key] == nil, let due = queued.removeValue(forKey: key), due <= now
            else { return false }
            processing[key] = .some(nil)
            return true
        }

        mutating func finish(
            _ key: Int, at time: Moment?, now: Moment
        ) {
            let again = processing.removeValue(forKey: key) ?? nil
            if let due = [again, time].compactMap({ $0 }).min() { queued[key] = due }
        }

        mutating func remove(_ key: Int) {
            queued[key] = nil
            if processing[key] != nil { processing[key] = .some(nil) }
        }
    }
}

/// SplitMix64, for this suite.
private struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
