import Manager
import ManagerCore
import Spec
import TestKit
import Testing

@Suite struct SetApplyTests {
    // MARK: Created, configured, unchanged

    @Test func whatIsNewIsCreatedAndWhatIsTheSameUnchanged() throws {
        var rig = ApplyRig()
        let first = try rig.apply(connection("b"), connection("a"))
        #expect(first.lines == ["b created", "a created"], "in the order of the input")
        #expect(first.revision == 1)
        let created = try #require(rig.desired("a"))
        #expect(created.keeper == .applySet("default"))
        #expect(created.declared == ["url", "topic"])
        #expect(created.generation == 1 && created.dialRevision == 1)
        #expect(first.results[1].uid == created.uid.rawValue)
        #expect(first.results[1].generation == 1)
        #expect(first.results[1].origin.contains("f1.yaml"))
        #expect(rig.owned() == ["a", "b"])

        let second = try rig.apply(connection("b"), connection("a"))
        #expect(second.lines == ["b unchanged", "a unchanged"])
        #expect(second.changesNothing)
        #expect(second.revision == 1, "no new revision for no change")
        #expect(rig.desired("a") == created)
    }

    @Test func anEditIsConfiguredWithItsFieldsAndEffect() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"))
        let uid = rig.desired("a")?.uid
        let kept = try rig.apply(connection("a", topic: "other"))
        #expect(kept.lines == ["a configured"])
        #expect(kept.results[0].changes.map(\.path) == ["topic"])
        #expect(kept.results[0].changes.first?.old == "t")
        #expect(kept.results[0].changes.first?.new == "other")
        #expect(kept.results[0].effect == .keep)
        #expect(kept.results[0].generation == 2)
        let cut = try rig.apply(
            connection("a", topic: "other", extra: "subprotocols: [v1]"))
        #expect(cut.results[0].effect == .reopen)
        #expect(rig.desired("a")?.dialRevision == 2)
        #expect(rig.desired("a")?.uid == uid, "an edit is not another object")
        #expect(cut.revision == 3)
    }

    @Test func whatTheInputLacksIsLeftAloneWithoutPrune() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"), connection("b"))
        let outcome = try rig.apply(connection("a"))
        #expect(outcome.lines == ["a unchanged"])
        #expect(rig.desired("b") != nil)
        #expect(rig.owned() == ["a", "b"])
    }

    @Test func aPlanIsTheSameOutcomeAndChangesNothing() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"), connection("b"))
        let before = (rig.desired("a"), rig.owned(), rig.draft.applySet("default")?.history)
        let planned = try rig.plan(connection("a", topic: "x"), connection("c")) { $0.prune = true }
        #expect(rig.desired("a") == before.0)
        #expect(rig.desired("c") == nil)
        #expect(rig.owned() == before.1)
        #expect(rig.draft.applySet("default")?.history == before.2)
        let applied = try rig.apply(connection("a", topic: "x"), connection("c")) {
            $0.prune = true
        }
        #expect(planned.lines == applied.lines)
        #expect(planned.lines == ["a configured", "c created", "b pruned"])
    }

    @Test func theHistoryTellsWhoDidWhat() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"), connection("b")) { $0.appliedBy = "ann@host" }
        try rig.apply(connection("a", topic: "x")) {
            $0.appliedBy = "bob@host"
            $0.prune = true
        }
        let history = try #require(rig.draft.applySet("default")?.history)
        #expect(history.map(\.number) == [1, 2])
        #expect(history.map(\.by) == ["ann@host", "bob@host"])
        #expect(history[0].summary == "2 created, 0 configured, 0 pruned")
        #expect(history[1].summary == "0 created, 1 configured, 1 pruned")
        #expect(history.allSatisfy { $0.at == someTime && $0.digest.count == 64 })
        #expect(history[0].digest != history[1].digest)
        for number in 0..<60 { try rig.apply(connection("a", topic: "n\(number)")) }
        let long = try #require(rig.draft.applySet("default")?.history)
        #expect(long.count == ApplySetRecord.longestHistory)
        #expect(long.last?.number == 62)
    }

    // MARK: Owners

    @Test func anObjectOfAnotherSetIsAConflictUnlessAdopted() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"), set: "left")
        let before = rig.desired("a")
        let refused = try rig.apply(connection("a"), connection("b"), set: "right")
        #expect(refused.lines == ["a conflict", "b created"])
        #expect(refused.results[0].message.contains("set left"))
        #expect(refused.results[0].message.contains("--adopt"))
        #expect(rig.desired("a") == before)
        #expect(rig.owned("right") == ["b"])

        let adopted = try rig.apply(connection("a"), connection("b"), set: "right") {
            $0.adopt = true
        }
        #expect(adopted.lines == ["a adopted", "b unchanged"])
        #expect(adopted.results[0].changes.isEmpty)
        #expect(rig.desired("a")?.keeper == .applySet("right"))
        #expect(rig.desired("a")?.uid == before?.uid)
        #expect(rig.desired("a")?.dialRevision == 1, "taken over without a reconnect")
        #expect(rig.owned("left").isEmpty)
        #expect(rig.owned("right") == ["a", "b"])
        #expect(try rig.apply(connection("a"), set: "left").lines == ["a conflict"])
    }

    @Test func aConnectionMadeByACallIsAdoptedToo() throws {
        var rig = ApplyRig()
        rig.connect("a")
        #expect(try rig.apply(connection("a")).lines == ["a conflict"])
        let adopted = try rig.apply(manifest("a", "url: ws://127.0.0.1:9/")) { $0.adopt = true }
        #expect(adopted.lines == ["a adopted"])
        #expect(rig.desired("a")?.keeper == .applySet("default"))
        #expect(rig.desired("a")?.dialRevision == 1)
    }

    @Test func aRefusedObjectIsLeftWhole() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a", topic: "theirs"), set: "left")
        try rig.apply(connection("a", topic: "ours"), set: "right")
        #expect(rig.desired("a")?.spec.topic == "theirs")
        #expect(rig.draft.applySet("right") == nil, "nothing changed, so nothing is written")
    }

    // MARK: resourceVersion

    @Test func aGivenResourceVersionMustMatch() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"))
        try rig.apply(connection("a", topic: "x"))
        func versioned(_ version: String, topic: String) -> String {
            manifest(
                "a", "url: ws://example.test/a\ntopic: \(topic)",
                metadata: "resourceVersion: '\(version)'")
        }
        let stale = try rig.apply(versioned("1", topic: "y"))
        #expect(stale.lines == ["a conflict"])
        #expect(stale.results[0].message.contains("resourceVersion is 1"))
        #expect(rig.desired("a")?.spec.topic == "x")
        #expect(try rig.apply(versioned("2", topic: "y")).lines == ["a configured"])
        #expect(rig.desired("a")?.spec.topic == "y")
    }

    // MARK: API overlays

    @Test func whatCallsSetAndNobodyDeclaresSurvivesAnApply() throws {
        var rig = ApplyRig()
        let bare = manifest("a", "url: ws://example.test/a")
        try rig.apply(bare)
        try rig.edit("a") {
            $0.overlay.topic = "by-call"
            $0.overlay.labels = ["tag": "1"]
        }
        #expect(try rig.apply(bare).lines == ["a unchanged"])
        #expect(rig.desired("a")?.effectiveTopic == "by-call")
        let refused = try rig.apply(connection("a", topic: "declared"))
        #expect(refused.lines == ["a conflict"], "a call gave the topic another value")
        #expect(rig.desired("a")?.effectiveTopic == "by-call")
        let declared = try rig.apply(connection("a", topic: "declared")) {
            $0.forceConflicts = true
        }
        #expect(declared.lines == ["a configured"])
        #expect(rig.desired("a")?.effectiveTopic == "declared")
        #expect(rig.desired("a")?.effectiveLabels == ["tag": "1"])
    }
}
