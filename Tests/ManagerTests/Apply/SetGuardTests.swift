import Manager
import ManagerCore
import Spec
import TestKit
import Testing

/// `--if-revision` and the digest of a plan.
@Suite struct SetGuardTests {
    @Test func anApplyOntoAnotherRevisionIsAbortedAndSaysWhereTheSetIs() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a")) {
            $0.ifRevision = 0
            $0.appliedBy = "ann@host"
        }
        let before = rig.desired("a")
        do {
            try rig.apply(connection("a", topic: "x")) { $0.ifRevision = 0 }
            Issue.record("a stale revision was applied")
        } catch let aborted as ApplyAborted {
            for text in ["at revision 1", "ann@host", someTime.rfc3339Seconds, "not at revision 0"]
            {
                #expect(aborted.description.contains(text), "\(aborted)")
            }
        }
        #expect(rig.desired("a") == before)
        #expect(try rig.apply(connection("a", topic: "x")) { $0.ifRevision = 1 }.revision == 2)
        #expect(throws: ApplyAborted.self) {
            try rig.apply(connection("z"), set: "never") { $0.ifRevision = 3 }
        }
    }

    @Test func equalPlansHaveEqualDigestsAndTheApplyHasThePlans() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"), connection("b"))
        func plan() throws -> ApplyOutcome {
            try rig.plan(connection("a", topic: "x"), connection("c")) { $0.prune = true }
        }
        let (first, second) = (try plan(), try plan())
        #expect(first.planDigest == second.planDigest && first.planDigest.count == 64)
        #expect(first.baseRevision == 1)
        let applied = try rig.apply(connection("a", topic: "x"), connection("c")) {
            $0.prune = true
            $0.expectPlan = first.planDigest
        }
        #expect(applied.planDigest == first.planDigest)
        #expect(applied.revision == 2)
    }

    /// Whatever moves at an object of the plan.
    @Test(arguments: ["another input", "an apply", "a call", "another object of the set", "a tag"])
    func whatMovedChangesTheDigest(_ what: String) throws {
        var rig = ApplyRig()
        try rig.apply(manifest("a", "url: ws://example.test/a"), connection("b"))
        let input = [manifest("a", "url: ws://example.test/a\nmaxMessageSize: 2MiB")]
        func plan(_ documents: [String]) throws -> ApplyOutcome {
            var copy = rig
            return try copy.apply(try ApplyRig.compile(documents))
        }
        let planned = try plan(input)
        var later = input
        switch what {
        case "another input":
            later = [manifest("a", "url: ws://example.test/a\nmaxMessageSize: 3MiB")]
        case "an apply": try rig.apply(manifest("a", "url: ws://example.test/other"))
        case "a call":
            try rig.edit("a") {
                let before = $0
                $0.setTopic("called", at: someTime)
                _ = $0.settle(since: before)
            }
        case "a tag":
            try rig.edit("a") {
                let before = $0
                $0.setTags(["k": "v"], at: someTime)
                _ = $0.settle(since: before)
            }
        default: try rig.apply(connection("b", topic: "moved"))
        }
        #expect(try plan(later).planDigest != planned.planDigest)
        #expect(throws: ApplyAborted.self) {
            try rig.apply(try ApplyRig.compile(later)) { $0.expectPlan = planned.planDigest }
        }
    }
}
