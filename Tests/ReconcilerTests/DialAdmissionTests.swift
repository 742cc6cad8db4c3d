import ManagerCore
import Reconciler
import TestKit
import Testing

@Suite struct DialAdmissionTests {
    private let start = Moment(.zero)

    private func after(_ seconds: Double) -> Moment {
        start.advanced(by: .seconds(seconds))
    }

    private func admission(
        rate: Double = 1_000, burst: Int = 1_000, concurrency: Int = 1_000
    ) -> DialAdmission {
        DialAdmission(budget: DialBudget(rate: rate, burst: burst, concurrency: concurrency))
    }

    @Test func whoComesFirstGoesFirst() {
        var admission = admission(rate: 1, burst: 1)
        #expect(admission.request("a", host: "h:1", now: start) == true)
        for name in ["b", "c", "d"] {
            #expect(admission.request(name, host: "h:1", now: start) == false)
            #expect(admission.isQueued(name))
        }
        #expect(
            admission.request("b", host: "h:1", now: start) == false,
            "asking again gains nothing")
        var granted: [String] = []
        for second in 1...3 { granted += admission.admit(now: after(Double(second))).granted }
        #expect(granted == ["b", "c", "d"])
    }

    /// A set of a hundred thousand that is deleted while it waits for one host.
    @Test(.timeLimit(.minutes(1))) func manyMayLeaveTheQueueAtOnce() {
        var admission = admission(rate: 1, burst: 1)
        let names = (0..<100_000).map { "c\($0)" }
        for name in names { _ = admission.request(name, host: "h:1", now: start) }
        for name in names.dropLast().reversed() { admission.finished(name, now: start) }
        #expect(!admission.isQueued("c1"))
        #expect(admission.admit(now: after(1)).granted == ["c99999"])
    }

    @Test func whoLeavesAndAsksAgainStandsAtTheEnd() {
        var admission = admission(rate: 1, burst: 1)
        for name in ["a", "b", "c", "d"] { _ = admission.request(name, host: "h:1", now: start) }
        admission.finished("b", now: start)
        #expect(admission.request("b", host: "h:1", now: start) == false)
        var granted: [String] = []
        for second in 1...3 { granted += admission.admit(now: after(Double(second))).granted }
        #expect(granted == ["c", "d", "b"])
    }

    @Test func aLateAskerDoesNotOvertakeTheQueue() {
        var admission = admission(rate: 1, burst: 1)
        #expect(admission.request("a", host: "h:1", now: start) == true)
        #expect(admission.request("b", host: "h:1", now: start) == false)
        #expect(
            admission.request("late", host: "h:1", now: after(1)) == false,
            "b was there before")
        #expect(admission.admit(now: after(1)).granted == ["b"])
    }

    @Test func aGrantedNameGoesOnceWithItsPermit() {
        var admission = admission(rate: 1, burst: 1)
        #expect(admission.request("a", host: "h:1", now: start) == true)
        #expect(admission.request("b", host: "h:1", now: start) == false)
        let (granted, next) = admission.admit(now: after(1))
        #expect(granted == ["b"])
        #expect(next == nil)
        #expect(admission.holdsPermit("b"))
        #expect(admission.request("b", host: "h:1", now: after(1)) == true)
        #expect(
            admission.request("b", host: "h:1", now: after(1)) == false,
            "a second dial needs a permit of its own")
    }

    @Test func admitSaysWhenToAskAgain() {
        var admission = admission(rate: 2, burst: 1)
        #expect(admission.request("a", host: "h:1", now: start) == true)
        #expect(admission.request("b", host: "h:1", now: start) == false)
        #expect(admission.admit(now: start).next == after(0.5))
        #expect(admission.admit(now: after(0.5)).granted == ["b"])
    }

    @Test func atTheConcurrencyLimitOnlyAFinishHelps() {
        var admission = admission(concurrency: 2)
        #expect(admission.request("a", host: "h:1", now: start) == true)
        #expect(admission.request("b", host: "h:1", now: start) == true)
        #expect(admission.request("c", host: "h:1", now: start) == false)
        let (granted, next) = admission.admit(now: after(100))
        #expect(granted.isEmpty)
        #expect(next == nil)
        admission.finished("a", now: after(100))
        #expect(!admission.holdsPermit("a"))
        #expect(admission.admit(now: after(100)).granted == ["c"])
    }

    @Test func aNameThatLeavesTheQueueGivesItsPlaceUp() {
        var admission = admission(rate: 1, burst: 1)
        #expect(admission.request("a", host: "h:1", now: start) == true)
        #expect(admission.request("b", host: "h:1", now: start) == false)
        #expect(admission.request("c", host: "h:1", now: start) == false)
        admission.finished("b", now: start)
        #expect(!admission.isQueued("b"))
        #expect(admission.admit(now: after(1)).granted == ["c"])
    }

    @Test func hostsDoNotWaitForEachOther() {
        var admission = admission(concurrency: 1)
        #expect(admission.request("a", host: "dead:1", now: start) == true)
        #expect(admission.request("b", host: "dead:1", now: start) == false)
        #expect(admission.request("c", host: "good:1", now: start) == true)
    }

    @Test func anotherHostMeansAnotherPlace() {
        var admission = admission(concurrency: 1)
        #expect(admission.request("a", host: "old:1", now: start) == true)
        #expect(admission.request("b", host: "old:1", now: start) == false)
        #expect(admission.request("b", host: "new:1", now: start) == true, "its url was edited")
        #expect(!admission.isQueued("b"))
        admission.finished("a", now: start)
        #expect(admission.admit(now: start).granted == [], "b does not wait there any more")
        #expect(admission.request("b", host: "old:1", now: start) == true)
        #expect(
            admission.request("c", host: "new:1", now: start) == true,
            "the permit of new:1 was given back")
    }

    @Test func anUnusedPermitOfAnotherHostIsGivenBack() {
        var admission = admission(concurrency: 1)
        #expect(admission.request("a", host: "old:1", now: start) == true)
        #expect(admission.request("b", host: "old:1", now: start) == false)
        admission.finished("a", now: start)
        #expect(admission.admit(now: start).granted == ["b"])
        #expect(admission.request("b", host: "new:1", now: start) == true)
        #expect(admission.request("c", host: "old:1", now: start) == true)
    }

    /// Any mix of calls: never more under way than allowed, never faster than allowed, and in the
    /// end nobody is left waiting.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func theBudgetIsNeverPassedAndNobodyIsForgotten(_ seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let (rate, burst, concurrency) = (50.0, 10, 7)
        var admission = admission(rate: rate, burst: burst, concurrency: concurrency)
        var now = start
        var underWay: Set<String> = []
        var begun: [Moment] = []
        var toDial = Set((0..<60).map { "c\($0)" })
        var granted: [String] = []
        for _ in 0..<20_000 where !(toDial.isEmpty && underWay.isEmpty) {
            granted += admission.admit(now: now).granted
            let name = granted.popLast() ?? toDial.randomElement(using: &generator)
            if let name, toDial.contains(name), admission.request(name, host: "h:1", now: now) {
                toDial.remove(name)
                underWay.insert(name)
                begun.append(now)
            }
            #expect(underWay.count <= concurrency)
            if generator.oneIn(3), let done = underWay.randomElement(using: &generator) {
                underWay.remove(done)
                admission.finished(done, now: now)
            }
            now = now.advanced(by: .milliseconds(Int.random(in: 0...5, using: &generator)))
        }
        #expect(toDial.isEmpty && underWay.isEmpty, "seed \(seed): \(toDial.count) never dialled")
        for (index, first) in begun.enumerated() {
            for last in index..<begun.count {
                let seconds = first.duration(to: begun[last]) / .seconds(1)
                #expect(Double(last - index + 1) <= Double(burst) + rate * seconds + 1e-6)
            }
        }
    }
}
