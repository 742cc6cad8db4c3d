import ManagerAPI
import Testing

@testable import ApplyCommands

struct WaitMachineTests {
    private func machine(
        _ connections: [String: Int64], goal: WaitGoal = .ready, sets: Set<String> = []
    ) -> WaitMachine {
        WaitMachine(goal: goal, connections: connections, connectionSets: sets)
    }

    @Test func nothingIsDecidedBeforeAllPresentObjectsWereSeen() {
        var wait = machine(["a": 1])
        wait.received(change(.present, object("a")))
        #expect(wait.verdict == .waiting)
        wait.received(change(.synced))
        #expect(wait.verdict == .reached)
    }

    @Test func readinessOfAnOlderGenerationDoesNotCount() {
        var wait = machine(["a": 4])
        wait.received(change(.present, object("a", generation: 3)))
        wait.received(change(.synced))
        #expect(wait.verdict == .waiting)
        wait.received(change(.changed, object("a", generation: 4, observed: 3)))
        #expect(wait.verdict == .waiting)
        wait.received(change(.changed, object("a", generation: 5)))
        #expect(wait.verdict == .reached)
    }

    @Test func aConnectionThatDropsAgainIsAwaitedAgain() {
        var wait = machine(["a": 1, "b": 1])
        wait.received(change(.present, object("a")))
        wait.received(change(.synced))
        wait.received(change(.changed, object("a", phase: "Reconnecting", ready: false)))
        wait.received(change(.changed, object("b")))
        #expect(wait.verdict == .waiting)
        #expect(wait.progressText == "waiting for Ready: 1 of 2 (1 Reconnecting)")
        wait.received(change(.changed, object("a")))
        #expect(wait.verdict == .reached)
    }

    @Test func aStalledConnectionFailsItAtOnce() {
        var wait = machine(["a": 1, "b": 1])
        wait.received(
            change(.present, object("a", phase: "Stalled", ready: false) { $0.stalled = true }))
        wait.received(change(.present, object("b", phase: "Connecting", ready: false)))
        wait.received(change(.synced))
        #expect(wait.verdict == .failed)
        #expect(wait.targets(in: .failed).map(\.name) == ["a"])
    }

    @Test func stalledUnderAnOlderGenerationIsNoFailure() {
        var wait = machine(["a": 2])
        wait.received(
            change(
                .present,
                object("a", phase: "Stalled", ready: false, generation: 2, observed: 1) {
                    $0.stalled = true
                }))
        wait.received(change(.synced))
        #expect(wait.verdict == .waiting)
    }

    @Test func aDeletedConnectionFailsIt() {
        var wait = machine(["a": 1])
        wait.received(change(.present, object("a")))
        wait.received(change(.deleted, object("a")))
        wait.received(change(.synced))
        #expect(wait.verdict == .failed)
    }

    @Test func theFirstMessageIsMoreThanReady() {
        var wait = machine(["a": 1], goal: .firstMessage)
        wait.received(change(.present, object("a")))
        wait.received(change(.synced))
        #expect(wait.verdict == .waiting)
        wait.received(change(.changed, object("a") { $0.firstMessage = true }))
        #expect(wait.verdict == .reached)
    }

    @Test func membersOfASetAreFoundByWatching() {
        var wait = machine([:], sets: ["book"])
        #expect(!wait.isEmpty)
        wait.received(change(.present, object("book-1") { $0.connectionSet = "book" }))
        wait.received(
            change(
                .present,
                object("book-2", phase: "Connecting", ready: false) { $0.connectionSet = "book" }))
        wait.received(change(.present, object("other", phase: "Connecting", ready: false)))
        wait.received(change(.synced))
        #expect(wait.verdict == .waiting)
        #expect(wait.progressText == "waiting for Ready: 1 of 2 (1 Connecting)")
        wait.received(change(.changed, object("book-2") { $0.connectionSet = "book" }))
        #expect(wait.verdict == .reached)
    }

    @Test func whatNobodySawIsPending() {
        let wait = machine(["a": 1, "b": 1])
        #expect(wait.progressText == "waiting for Ready: 0 of 2 (2 Pending)")
    }

    @Test func membersNamedByResultsNeedNoSearch() {
        var outcome = ApplyOutcome(set: "default", isDryRun: false)
        outcome.received(
            results([
                result("book", .configured, kind: "ConnectionSet"),
                result("book-1", .unchanged, of: "book", generation: 3),
                result("book-2", .pruned, of: "book"),
                result("empty", .created, kind: "ConnectionSet"),
                result("c", .conflict), result("a", .adopted, generation: 2),
            ]))
        let wait = WaitRunner.machine(goal: .ready, after: outcome)
        #expect(wait.names == ["a", "book-1"])
        #expect(wait.targets["book-1"]?.generation == 3)
        #expect(!wait.isExplicit)
    }
}
