import ManagerCore
import Simulation
import Testing

@Suite struct FixedSeedTests {
    /// Small enough for every run of the tests; `make sim` runs as many as wanted.
    static let seeds: ClosedRange<UInt64> = 1...30

    @Test func everyInvariantHoldsAndFaultsAreCovered() {
        var coverage = Coverage()
        for seed in Self.seeds {
            let outcome = Simulation.run(seed: seed)
            coverage.merge(outcome.coverage)
            if let violation = outcome.violation {
                Issue.record("\(violation); see it again with: make sim SEED=\(seed)")
            }
            #expect(outcome.published > 0 && outcome.acked > 0, "seed \(seed)")
        }
        print(coverage.report)
        #expect(coverage.percent("take-over") >= 20)
        #expect(coverage.percent("hand-over") >= 20)
        #expect(coverage.percent("fault storeOutage") >= 10)
    }

    @Test func theSameSeedIsTheSameRun() {
        let first = Simulation.run(seed: 7, isTracing: true)
        let second = Simulation.run(seed: 7, isTracing: true)
        #expect(first.trace == second.trace)
        #expect(first.events == second.events)
    }
}
