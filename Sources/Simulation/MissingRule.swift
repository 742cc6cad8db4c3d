import ManagerCore

/// Looks for a run that shows what a rule is for.
package enum MissingRule {
    /// The first violation without the rule, among the scenario made for it and random seeds.
    package static func search(_ name: String, seeds: ClosedRange<UInt64>) -> String? {
        guard let path = ProtocolRules.switches.first(where: { $0.name == name })?.path else {
            return nil
        }
        var rules = ProtocolRules.all
        rules[keyPath: path] = false
        for seed in seeds {
            for scenario in scenarios[name] ?? [] {
                if let violation = scenario.run(seed: seed, rules: rules).violation {
                    return "\(scenario), seed \(seed): \(violation)"
                }
            }
            if let violation = Simulation.run(seed: seed, rules: rules).violation {
                return "seed \(seed): \(violation)"
            }
        }
        return nil
    }

    /// The first violation with clocks far outside of the promise.
    package static func searchBrokenClocks(seeds: ClosedRange<UInt64>) -> String? {
        for seed in seeds {
            if let violation = Scenario.brokenClocks.run(seed: seed).violation {
                return "seed \(seed): \(violation)"
            }
        }
        return nil
    }

    private static var scenarios: [String: [Scenario]] {
        let all = Scenario.all
        func named(_ texts: String...) -> [Scenario] {
            all.filter { scenario in texts.contains { scenario.name.contains($0) } }
        }
        return [
            "unmovedWritesArePending": named("the cut-over lands late"),
            "namesAreNeverDeleted": named("16 create, delete, create"),
            "leaseClockCountsSuspend": named("7 one host is suspended"),
            "publishCallsAreBounded": named("the bus is as slow"),
            "deathNeedsHigherSlotEpoch": named("5 an instance"),
            "titlesAreCompared": named("12 the shard is handed back"),
            "servedEpochsAreReclaimed": named("12 a header read before"),
            "restartsClaimAnew": named("13 a crashed instance is back within a second"),
            "ownerFreezesBeforeCutOver": named("12 the cut-over lands late"),
            "takeoversSeal": named("15 writes of the dead owner"),
            "acknowledgesAppliedOnly": named("20 an owner ends"),
            "changesNameTheirBase": named("a forwarded change arrives late"),
        ]
    }
}
