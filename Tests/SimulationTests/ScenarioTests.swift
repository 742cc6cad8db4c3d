import ManagerCore
import Simulation
import Testing

@Suite struct ScenarioTests {
    @Test(arguments: Scenario.all) func theInvariantsHold(in scenario: Scenario) {
        let outcome = scenario.run(seed: 1)
        if let violation = outcome.violation { Issue.record("\(scenario): \(violation)") }
    }
}
