import ArgumentParser
import Dispatch
import ManagerCore
import Simulation

/// Runs seeds of the ownership simulation; a failure prints its trace and how to see it again.
@main struct SimulationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wsm-sim", abstract: "Simulate the ownership protocol, seed by seed.")

    @Option(help: "How many seeds to run.") var seeds: UInt64 = 1000
    @Option(help: "The first seed.") var first: UInt64 = 1
    @Option(help: "Run this one seed and print its trace.") var seed: UInt64?
    @Option(help: "Threads; each runs its own seeds.") var jobs: Int = 1
    @Option(help: "Switch this rule off, to see the simulation notice (see --list-rules).")
    var without: String?
    @Option(help: "Run the directed schedules whose name holds this text, instead of random seeds.")
    var scenario: String?
    @Flag(help: "Search for a violation without each of the rules.") var missing = false
    @Option(help: "Stop after so many failures.") var failures: Int = 1
    @Flag(help: "Print the rules that can be switched off.") var listRules = false

    func run() throws {
        if listRules {
            for name in ProtocolRules.switches.map(\.name) { print(name) }
            return
        }
        var rules = ProtocolRules.all
        if let without {
            guard let path = ProtocolRules.switches.first(where: { $0.name == without })?.path
            else { throw ValidationError("no rule is called \(without)") }
            rules[keyPath: path] = false
        }
        if missing { return try searchMissing() }
        if let scenario { return try runScenarios(scenario, rules) }
        if let seed {
            let outcome = Simulation.run(seed: seed, rules: rules, isTracing: true)
            print(outcome.trace.joined(separator: "\n"))
            print(outcome.violation.map { "\($0)" } ?? "seed \(seed): every invariant held")
            if outcome.violation != nil { throw ExitCode.failure }
            return
        }
        try runMany(rules)
    }

    private func searchMissing() throws {
        var isWhole = true
        for name in ProtocolRules.switches.map(\.name) {
            let found = MissingRule.search(name, seeds: first...(first + max(1, seeds) - 1))
            print("without \(name): \(found ?? "NOTHING FOUND")")
            isWhole = isWhole && found != nil
        }
        let clocks = MissingRule.searchBrokenClocks(seeds: first...(first + max(1, seeds) - 1))
        print("clocks 40 % off: \(clocks ?? "NOTHING FOUND")")
        if !isWhole || clocks == nil { throw ExitCode.failure }
    }

    private func runScenarios(_ text: String, _ rules: ProtocolRules) throws {
        var isWhole = true
        for scenario in Scenario.all where scenario.name.contains(text) {
            for seed in seed.map({ $0...$0 }) ?? first...(first + max(1, seeds) - 1) {
                let outcome = scenario.run(seed: seed, rules: rules, isTracing: self.seed != nil)
                if self.seed != nil { print(outcome.trace.joined(separator: "\n")) }
                guard let violation = outcome.violation else { continue }
                isWhole = false
                print("\(scenario), seed \(seed): \(violation)")
                break
            }
        }
        if !isWhole { throw ExitCode.failure }
        print("every invariant held")
    }

    private func runMany(_ rules: ProtocolRules) throws {
        let began = ContinuousClock.now
        let tally = Tally(limit: failures)
        let jobs = UInt64(max(1, jobs))
        DispatchQueue.concurrentPerform(iterations: Int(jobs)) { job in
            var seed = first + UInt64(job)
            while seed < first + seeds, !tally.isFull {
                tally.add(Simulation.run(seed: seed, rules: rules))
                seed += jobs
            }
        }
        let seconds = began.duration(to: .now)
        let total = tally.total
        print(total.coverage.report)
        print(
            "\(total.coverage.seeds) seeds, \(total.events) events, \(total.published) messages "
                + "accepted, \(total.acked) changes acknowledged, in \(seconds)")
        for outcome in tally.failed.sorted(by: { $0.seed < $1.seed }) {
            print("seed \(outcome.seed): \(outcome.violation.map { "\($0)" } ?? "")")
            print("  see it again with: make sim SEED=\(outcome.seed)")
        }
        if !tally.failed.isEmpty { throw ExitCode.failure }
        print("every invariant held")
    }
}
