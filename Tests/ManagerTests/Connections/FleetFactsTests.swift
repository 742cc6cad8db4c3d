import ManagerCore
import Reconciler
import TestKit
import Testing

@testable import Manager

struct FleetFactsTests {
    private func facts(_ generation: Int64) -> ObservedFacts {
        ObservedFacts(ObservedConnection(name: "c", uid: .sample("c"), generation: generation))
    }

    private func told(_ table: FleetFacts) -> [String: Int64] {
        var told: [String: Int64] = [:]
        table.forEach { rows in
            for row in rows {
                guard let facts = row.facts else { continue }
                #expect(told[row.name] == nil, "\(row.name) is told of twice")
                told[row.name] = facts.generation
            }
        }
        return told
    }

    @Test func everyConnectionIsToldOfOnceAsItIs() {
        let table = FleetFacts()
        #expect(told(table).isEmpty)
        var places: [FleetFacts.Place] = []
        for number in 0..<1_000 { places.append(table.add("c\(number)", facts(1))) }
        for place in places { table.set(place, facts(2)) }
        #expect(
            told(table) == Dictionary(uniqueKeysWithValues: (0..<1_000).map { ("c\($0)", 2) }))
    }

    @Test func whoLeavesIsNotToldOfAndItsPlaceIsTakenAgain() {
        let table = FleetFacts()
        let places = ["a", "b", "c"].map { table.add($0, facts(1)) }
        table.remove(places[1])
        #expect(told(table) == ["a": 1, "c": 1])
        #expect(table.add("d", facts(4)) == places[1])
        #expect(table.add("e", facts(5)) > places[2])
        #expect(told(table) == ["a": 1, "c": 1, "d": 4, "e": 5])
    }
}
