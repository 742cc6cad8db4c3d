import ManagerCore
import Simulation
import Testing

@Suite struct ScenarioTests {
    @Test(arguments: Scenario.all) func theInvariantsHold(in scenario: Scenario) {
        for seed in UInt64(1)...2 {
            let outcome = scenario.run(seed: seed)
            if let violation = outcome.violation {
                Issue.record("\(scenario), seed \(seed): \(violation)")
            }
        }
    }
}
