import ManagerCore
import TestKit
import Testing

@Suite struct DialBudgetTests {
    private let start = Moment(.zero)
    private let host = "example.com:443"

    @Test func theBurstGoesAtOnceAndThenTheRateHolds() {
        var budget = DialBudget(rate: 2, burst: 3, concurrency: 100)
        for _ in 0..<3 { #expect(budget.request(host: host, now: start) == .granted) }
        let next = start.advanced(by: .milliseconds(500))
        #expect(budget.request(host: host, now: start) == .wait(until: next))
        #expect(budget.request(host: host, now: next) == .granted)
        #expect(
            budget.request(host: host, now: next)
                == .wait(until: next.advanced(by: .milliseconds(500))))
    }

    @Test func noMoreThanTheConcurrencyIsUnderWay() {
        var budget = DialBudget(rate: 1000, burst: 1000, concurrency: 2)
        #expect(budget.request(host: host, now: start) == .granted)
        #expect(budget.request(host: host, now: start) == .granted)
        #expect(budget.request(host: host, now: start) == .waitForFinish)
        budget.finished(host: host, now: start)
        #expect(budget.request(host: host, now: start) == .granted)
    }

    @Test func instancesShareTheBudgetAndGetItBack() {
        var budget = DialBudget(rate: 6, burst: 6, concurrency: 9)
        budget.share(among: 3)
        for _ in 0..<2 { #expect(budget.request(host: host, now: start) == .granted) }
        let next = start.advanced(by: .milliseconds(500))
        #expect(budget.request(host: host, now: start) == .wait(until: next))
        #expect(budget.request(host: host, now: next) == .granted)
        let later = start.advanced(by: .seconds(10))
        #expect(budget.request(host: host, now: later) == .waitForFinish)
        budget.share(among: 1)
        for _ in 0..<6 { #expect(budget.request(host: host, now: later) == .granted) }
        #expect(budget.request(host: host, now: later) == .waitForFinish)
        // More members than dials leave everyone one.
        var small = DialBudget(rate: 1, burst: 1, concurrency: 1)
        small.share(among: 64)
        #expect(small.request(host: host, now: start) == .granted)
        #expect(small.request(host: host, now: start) == .waitForFinish)
    }

    @Test func hostsDoNotShareABudget() {
        var budget = DialBudget(rate: 1, burst: 1, concurrency: 1)
        #expect(budget.request(host: "a:80", now: start) == .granted)
        #expect(budget.request(host: "b:80", now: start) == .granted)
        #expect(budget.request(host: "a:80", now: start) == .waitForFinish)
    }

    @Test func finishingWhatWasNotGrantedIsIgnored() {
        var budget = DialBudget(rate: 1000, burst: 1000, concurrency: 1)
        budget.finished(host: host, now: start)
        #expect(budget.request(host: host, now: start) == .granted)
        budget.finished(host: host, now: start)
        budget.finished(host: host, now: start)
        #expect(budget.request(host: host, now: start) == .granted)
        #expect(budget.request(host: host, now: start) == .waitForFinish)
    }

    @Test func idleHostsAreForgotten() {
        var budget = DialBudget(rate: 100, burst: 10, concurrency: 10)
        var now = start
        for number in 0..<10_000 {
            let host = "host-\(number):443"
            #expect(budget.request(host: host, now: now) == .granted)
            budget.finished(host: host, now: now)
            now = now.advanced(by: .milliseconds(1))
        }
        // Ten tokens are back after 100 ms: a hundred hosts at this pace.
        #expect(budget.hostCount <= 256)
        budget.forgetIdleHosts(now: now.advanced(by: .seconds(1)))
        #expect(budget.hostCount == 0)
    }

    @Test(arguments: UInt64(1)...20)
    func noWindowHasMoreThanBurstAndRateAllow(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        let rate = Double(Int.random(in: 1...300, using: &generator))
        let burst = Int.random(in: 1...50, using: &generator)
        let concurrency = Int.random(in: 1...40, using: &generator)
        var budget = DialBudget(rate: rate, burst: burst, concurrency: concurrency)
        var grants: [Double] = []
        var underWay = 0
        var elapsed = 0.0
        for _ in 0..<3000 {
            let now = start.advanced(by: .seconds(elapsed))
            switch budget.request(host: host, now: now) {
            case .granted:
                grants.append(elapsed)
                underWay += 1
            case .wait(let until):
                #expect(until > now, "seed \(seed)")
                #expect(underWay < concurrency, "seed \(seed)")
            case .waitForFinish:
                #expect(underWay == concurrency, "seed \(seed)")
            }
            #expect(underWay <= concurrency, "seed \(seed)")
            if underWay > 0, Bool.random(using: &generator) {
                budget.finished(host: host, now: now)
                underWay -= 1
            }
            elapsed += Double.random(in: 0...(2 / rate), using: &generator)
        }
        var violations = 0
        for (index, grant) in grants.enumerated() {
            for (count, end) in grants[index...].prefix(200).enumerated() {
                let allowed = Double(burst) + rate * (end - grant) + 1e-6
                if Double(count + 1) > allowed { violations += 1 }
            }
        }
        #expect(violations == 0, "seed \(seed)")
        #expect(grants.count > 500, "seed \(seed)")
    }
}
