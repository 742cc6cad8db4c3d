import ManagerCore
import Simulation
import Testing

/// Each rule that the protocol rests on is switched off, and the simulation notices.
@Suite struct MissingRuleTests {
    @Test(arguments: ProtocolRules.switches.map(\.name))
    func isNoticed(_ name: String) throws {
        let found = try #require(MissingRule.search(name, seeds: 1...20))
        print("without \(name): \(found)")
    }

    @Test func clocksFarOutsideOfThePromiseAreNoticed() {
        #expect(MissingRule.searchBrokenClocks(seeds: 1...20) != nil)
    }
}
