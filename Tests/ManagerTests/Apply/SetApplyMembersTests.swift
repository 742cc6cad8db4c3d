import Manager
import ManagerCore
import Spec
import TestKit
import Testing

/// ConnectionSets and their members.
@Suite struct SetApplyMembersTests {
    @Test func aSetIsListedBeforeItsMembersAndOwnsThem() throws {
        var rig = ApplyRig()
        let outcome = try rig.apply(
            connection("solo"), connectionSet("feeds", ["b", "a"]), connection("last"))
        let members = memberOrder(outcome, ["a", "b"], "created")
        #expect(
            outcome.lines
                == ["solo created", "[feeds] created"] + members + ["last created"])
        #expect(outcome.results.filter { $0.connectionSet == "feeds" }.count == 2)
        #expect(rig.desired("a")?.connectionSet == "feeds")
        #expect(rig.desired("a")?.keeper == .applySet("default"))
        #expect(rig.owned() == ["solo", "last"], "members are the ConnectionSet's")
        #expect(rig.draft.applySet("default")?.connectionSets == ["feeds"])
        #expect(rig.draft.connectionSet("feeds")?.members == ["a", "b"])
        #expect(rig.draft.connectionSet("feeds")?.generation == 1)
    }

    /// The members in the order they were reported; which one that is, is the compiler's choice.
    private func memberOrder(
        _ outcome: ApplyOutcome, _ names: Set<String>, _ action: String
    ) -> [String] {
        let order = outcome.results.map(\.name).filter { names.contains($0) }
        #expect(Set(order) == names)
        return order.map { "\($0) \(action)" }
    }

    @Test func theSameSetIsUnchangedInAnyOrderOfItsRows() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b", "c"]))
        let again = try rig.apply(connectionSet("feeds", ["c", "a", "b"]))
        #expect(again.changesNothing, "\(again.lines)")
        #expect(rig.draft.connectionSet("feeds")?.generation == 1)
    }

    @Test func onlyTheMembersThatChangedAreConfigured() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b"]))
        let kept = rig.desired("a")
        let outcome = try rig.apply(connectionSet("feeds", ["a", "c"]))
        #expect(
            Set(outcome.lines)
                == ["[feeds] configured", "a unchanged", "c created", "b pruned"])
        #expect(outcome.lines.first == "[feeds] configured")
        #expect(rig.desired("a") == kept)
        #expect(rig.desired("b") == nil, "a member that is gone is closed without --prune")
        #expect(rig.draft.connectionSet("feeds")?.members == ["a", "c"])
        #expect(rig.draft.connectionSet("feeds")?.generation == 2)
    }

    @Test func anEditOfTheTemplateConfiguresEveryMember() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b"]))
        let outcome = try rig.apply(connectionSet("feeds", ["a", "b"], topic: "other"))
        #expect(outcome.count(.configured) == 3)
        #expect(
            outcome.results.filter { $0.kind == .connection }.allSatisfy { $0.effect == .keep })
    }

    @Test func aSetIsPrunedWithItsMembers() throws {
        var rig = ApplyRig()
        try rig.apply(connection("solo"), connectionSet("feeds", ["a", "b"]))
        let outcome = try rig.apply(connection("solo")) { $0.prune = true }
        #expect(outcome.lines == ["solo unchanged", "a pruned", "b pruned", "[feeds] pruned"])
        #expect(rig.draft.connectionSet("feeds") == nil)
        #expect(rig.draft.applySet("default")?.connectionSets.isEmpty == true)
        #expect(rig.desired("a") == nil)
    }

    @Test func aSetsMembersCountForTheGuard() throws {
        var rig = ApplyRig()
        try rig.apply(
            connection("solo"), connectionSet("feeds", (0..<9).map { "m\($0)" }))
        do {
            try rig.apply(connection("solo")) { $0.prune = true }
            Issue.record("nine of ten connections went at once")
        } catch let refused as PruneRefused {
            #expect(refused.description.contains("9 of the 10"))
        }
    }

    @Test func aProtectedSetKeepsItsMembers() throws {
        var rig = ApplyRig()
        try rig.apply(
            connection("solo"),
            connectionSet(
                "feeds", ["a"], metadata: "annotations: {wsm.virtufin.com/prune: disabled}"))
        let outcome = try rig.apply(connection("solo")) { $0.prune = true }
        #expect(outcome.lines == ["solo unchanged", "[feeds] protected"])
        #expect(rig.desired("a") != nil)
    }

    // MARK: Between member and standalone

    @Test func aStandaloneConnectionBecomesAMember() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"))
        let before = rig.desired("a")
        let outcome = try rig.apply(connectionSet("feeds", ["a", "b"])) { $0.prune = true }
        #expect(Set(outcome.lines) == ["[feeds] created", "a unchanged", "b created"])
        #expect(rig.desired("a")?.connectionSet == "feeds")
        #expect(rig.desired("a")?.uid == before?.uid)
        #expect(rig.desired("a")?.dialRevision == 1, "no reconnect")
        #expect(rig.owned().isEmpty)
    }

    @Test(arguments: [false, true])
    func aMemberBecomesStandaloneInOneApply(_ setFirst: Bool) throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b"]))
        let before = rig.desired("a")
        let documents = [connectionSet("feeds", ["b"]), connection("a")]
        let outcome = try rig.apply(
            try ApplyRig.compile(setFirst ? documents : documents.reversed()))
        #expect(outcome.count(.pruned) == 0, "\(outcome.lines)")
        #expect(outcome.count(.conflict) == 0, "\(outcome.lines)")
        #expect(rig.desired("a")?.connectionSet == nil)
        #expect(rig.desired("a")?.uid == before?.uid)
        #expect(rig.desired("a")?.dialRevision == 1)
        #expect(rig.owned() == ["a"])
        #expect(rig.draft.connectionSet("feeds")?.members == ["b"])
    }

    @Test func aMemberOutlivesItsPrunedSetIfTheInputDeclaresIt() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b"]))
        let before = rig.desired("a")
        let outcome = try rig.apply(connection("a", topic: "changed")) { $0.prune = true }
        #expect(outcome.lines == ["a configured", "b pruned", "[feeds] pruned"])
        #expect(rig.desired("a")?.uid == before?.uid)
        #expect(rig.desired("a")?.connectionSet == nil)
        #expect(rig.desired("a")?.spec.topic == "changed")
        #expect(rig.owned() == ["a"])
        #expect(rig.desired("b") == nil)
    }

    @Test func aMemberWrittenOutUnchangedStaysAMember() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b"]))
        // As `get -o yaml` shows it.
        let shown = manifest(
            "a", "url: ws://example.test/a\ntopic: t",
            metadata: "annotations: {wsm.virtufin.com/connection-set: feeds}")
        #expect(try rig.apply(shown).lines == ["a unchanged"])
        #expect(rig.desired("a")?.connectionSet == "feeds")
        #expect(rig.owned().isEmpty)
    }

    @Test func aMemberIsNotChangedPastItsSet() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b"]))
        let outcome = try rig.apply(connection("a", topic: "mine"))
        #expect(outcome.lines == ["a conflict"])
        #expect(outcome.results[0].message.contains("ConnectionSet feeds"))
        #expect(rig.desired("a")?.spec.topic == "t")
    }

    @Test func aMemberMovesBetweenTwoConnectionSets() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("one", ["a", "b"]), connectionSet("two", ["c"]))
        let uid = rig.desired("a")?.uid
        for _ in 0..<2 {
            let outcome = try rig.apply(
                connectionSet("one", ["b"]), connectionSet("two", ["a", "c"]))
            #expect(outcome.count(.pruned) == 0, "\(outcome.lines)")
        }
        #expect(rig.desired("a")?.uid == uid, "it was not deleted and made again")
        #expect(rig.desired("a")?.connectionSet == "two")
        #expect(rig.draft.connectionSet("one")?.members == ["b"])
        #expect(rig.draft.connectionSet("two")?.members == ["a", "c"])
    }

    // MARK: Owners

    @Test func aSetOfAnotherOwnerIsAConflictAndSoAreMembersOfOthers() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a"]), connection("b"), set: "left")
        let other = try rig.apply(connectionSet("feeds", ["a", "z"]), set: "right")
        #expect(other.lines == ["[feeds] conflict"])
        #expect(rig.desired("z") == nil)
        let taken = try rig.apply(connectionSet("mine", ["b", "c"]), set: "right")
        #expect(Set(taken.lines) == ["[mine] created", "b conflict", "c created"])
        #expect(rig.draft.connectionSet("mine")?.members == ["c"])
        #expect(rig.desired("b")?.keeper == .applySet("left"))
    }

    @Test func anAdoptedSetBringsItsMembers() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b"]), set: "left")
        let outcome = try rig.apply(connectionSet("feeds", ["a", "b"]), set: "right") {
            $0.adopt = true
        }
        #expect(outcome.count(.adopted) == 3, "\(outcome.lines)")
        #expect(rig.desired("a")?.keeper == .applySet("right"))
        #expect(rig.desired("a")?.dialRevision == 1)
        #expect(rig.draft.applySet("left")?.connectionSets.isEmpty == true)
        #expect(rig.draft.applySet("right")?.connectionSets == ["feeds"])
    }

    @Test func aNameMovedBetweenApplySetsIsNotPrunedByTheFormer() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"), connection("b"), set: "left")
        try rig.apply(connection("a"), set: "right") { $0.adopt = true }
        let outcome = try rig.apply(connection("b"), set: "left") { $0.prune = true }
        #expect(outcome.changesNothing, "\(outcome.lines)")
        #expect(rig.desired("a")?.keeper == .applySet("right"))
    }

    @Test func aStaleResourceVersionOfASetIsAConflict() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a"]))
        let outcome = try rig.apply(
            connectionSet("feeds", ["a", "b"], metadata: "resourceVersion: '7'"))
        #expect(outcome.lines == ["[feeds] conflict"])
        #expect(rig.desired("b") == nil)
    }
}
