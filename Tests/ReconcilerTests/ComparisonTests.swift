import ManagerCore
import Spec
import TestKit
import Testing

@testable import Reconciler

/// What a resync remembers of the last one may only save it work.
@Suite struct ComparisonTests {
    private let now = Moment(.zero)
    private let clock = ManualClock()

    private func control(_ names: [String]) -> RecordingControl {
        let control = RecordingControl(clock: clock)
        for name in names { control.open(.sample(name)) }
        return control
    }

    private func due(
        _ desired: FakeDesiredState, _ control: RecordingControl, _ places: inout RecordPlaces
    ) -> Set<String> {
        Set(Comparison(desired, control, now: now, places: &places).due)
    }

    @Test func placesOfALifeBeforeAreNotBelieved() {
        let names = (0..<40).map { "c\($0)" }
        let desired = FakeDesiredState(names.map { .sample($0) })
        let control = control(names)
        var places = RecordPlaces()
        for _ in 0..<3 { #expect(due(desired, control, &places).isEmpty) }
        // Other records in other places, fewer of them, and one under a used name.
        for name in names.prefix(30) { desired.remove(name) }
        desired.put(
            DesiredConnection(
                name: "c35", uid: .sample("another"), createdAt: desired.all[0].createdAt,
                keeper: .grpc, spec: desired.all[0].spec))
        desired.put(.sample("new"))
        #expect(
            due(desired, control, &places) == Set(names.prefix(30)).union(["c35", "new"]))
        for name in names { desired.put(.sample(name)) }
        desired.remove("new")
        #expect(due(desired, control, &places).isEmpty)
    }

    @Test func aTableHandsPlacesOnAndFindsEveryName() throws {
        var table = DesiredTable()
        let facts = (0..<5).map { DesiredFacts(.sample("c\($0)")) }
        for number in 0..<4 { table["c\(number)"] = facts[number] }
        let copy = table
        table["c1"] = nil
        table["c1"] = nil
        let freed = try #require(copy.place(of: "c1"))
        #expect(table.rows[Int(freed)] == nil)
        #expect(table.count == 3)
        table["c4"] = facts[4]
        #expect(table.place(of: "c4") == freed)
        #expect(table.rows.count == 4)
        for number in [0, 2, 3, 4] { #expect(table["c\(number)"] == facts[number]) }
        #expect(table["c1"] == nil)
        #expect(copy["c1"] == facts[1])
        #expect(copy.count == 4)
    }
}
