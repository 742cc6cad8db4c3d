import Manager
import ManagerCore
import Spec
import TestKit
import Testing

@Suite struct SetApplyPruneTests {
    private func filled(_ count: Int) throws -> ApplyRig {
        var rig = ApplyRig()
        try rig.apply((0..<count).map { connection("c\($0)") }.joined(separator: "---\n"))
        return rig
    }

    private func kept(_ count: Int) -> String {
        (0..<count).map { connection("c\($0)") }.joined(separator: "---\n")
    }

    private func refusal(_ body: () throws -> ApplyOutcome) -> String? {
        do {
            _ = try body()
            return nil
        } catch {
            return error is PruneRefused ? "\(error)" : "another error: \(error)"
        }
    }

    @Test func exactlyWhatTheInputLacksIsPruned() throws {
        var rig = try filled(3)
        let outcome = try rig.apply(connection("c0"), connection("c2")) { $0.prune = true }
        #expect(outcome.lines == ["c0 unchanged", "c2 unchanged", "c1 pruned"])
        #expect(outcome.results.last?.effect == .close)
        #expect(rig.desired("c1") == nil)
        #expect(rig.owned() == ["c0", "c2"])
        #expect(
            try rig.apply(connection("c0"), connection("c2")) { $0.prune = true }.changesNothing)
    }

    @Test func anotherSetsObjectsAreNeverPruned() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"), set: "left")
        try rig.apply(connection("b"), set: "right")
        rig.connect("by-call")
        try rig.apply(connection("c"), set: "right") { $0.prune = true }
        #expect(rig.desired("a") != nil)
        #expect(rig.desired("by-call") != nil)
        #expect(rig.desired("b") == nil)
    }

    @Test func aProtectedObjectIsSkippedAndNamed() throws {
        var rig = ApplyRig()
        let protected = manifest(
            "safe", "url: ws://example.test/s",
            metadata: "annotations: {wsm.virtufin.com/prune: disabled}")
        try rig.apply(protected, connection("a"), connection("b"))
        let outcome = try rig.apply(connection("a")) { $0.prune = true }
        #expect(outcome.lines == ["a unchanged", "b pruned", "safe protected"])
        #expect(outcome.results.last?.message.contains("disabled") == true)
        #expect(rig.desired("safe") != nil)
        #expect(rig.owned().contains("safe"), "it stays the set's")
    }

    // MARK: The guard

    /// A fifth of what the set has, but at least five may always go.
    @Test(arguments: [
        (3, 0, false), (5, 0, false), (6, 1, false), (7, 1, true), (20, 15, false),
        (20, 14, true), (100, 80, false), (100, 79, true), (29, 24, false), (29, 23, true),
    ])
    func theGuardTakesAFifthAndNeverLessThanFive(
        _ total: Int, _ kept: Int, _ isRefused: Bool
    ) throws {
        var rig = try filled(total)
        // An empty input has a guard of its own; an object of no interest keeps it out of this.
        let input = [connection("extra"), self.kept(kept)]
        let sentence = refusal {
            try rig.apply(try ApplyRig.compile(input)) { $0.prune = true }
        }
        #expect((sentence != nil) == isRefused, "\(sentence ?? "let through")")
        if let sentence {
            #expect(sentence.contains("\(total - kept) of the \(total)"), "\(sentence)")
            #expect(sentence.contains("--max-prune"))
            #expect(rig.desired("extra") == nil, "refused means nothing at all is changed")
            #expect(rig.owned().count == total)
        } else {
            #expect(rig.owned().count == kept + 1)
        }
    }

    @Test(arguments: [("3", 3), ("0", 0), ("50%", 10), ("100%", 20), ("0%", 0)])
    func anExplicitLimitHoldsInstead(_ text: String, _ allowed: Int) throws {
        let limit = try #require(PruneLimit(text))
        for doomed in [allowed, allowed + 1] where doomed <= 20 {
            var rig = try filled(20)
            let input = [connection("extra"), kept(20 - doomed)]
            let sentence = refusal {
                try rig.apply(try ApplyRig.compile(input)) {
                    $0.prune = true
                    $0.maxPrune = limit
                }
            }
            #expect((sentence == nil) == (doomed == allowed), "\(doomed): \(sentence ?? "")")
        }
    }

    @Test(arguments: ["-1", "101%", "x", "5 %", "%", "1.5", "-1%"])
    func aLimitThatIsNoneIsRefused(_ text: String) {
        #expect(PruneLimit(text) == nil)
    }

    @Test func anEmptyInputNeedsToBeMeant() throws {
        var rig = try filled(2)
        let nothing: [CompiledObject] = []
        let sentence = refusal { try rig.apply(nothing) { $0.prune = true } }
        #expect(sentence?.contains("--allow-empty") == true)
        #expect(sentence?.contains("all 2 objects") == true)
        #expect(rig.owned() == ["c0", "c1"])
        let outcome = try rig.apply(nothing) {
            $0.prune = true
            $0.allowEmpty = true
        }
        #expect(outcome.lines == ["c0 pruned", "c1 pruned"])
        #expect(rig.owned().isEmpty)
    }

    @Test func allowEmptyDoesNotLiftTheOtherGuard() throws {
        var rig = try filled(10)
        let nothing: [CompiledObject] = []
        let sentence = refusal {
            try rig.apply(nothing) {
                $0.prune = true
                $0.allowEmpty = true
            }
        }
        #expect(sentence?.contains("--max-prune") == true)
        #expect(rig.owned().count == 10)
    }

    @Test func anEmptyInputWithoutPruneOrForAnEmptySetIsHarmless() throws {
        var rig = try filled(2)
        let nothing: [CompiledObject] = []
        #expect(try rig.apply(nothing).lines.isEmpty)
        #expect(try rig.apply(nothing, set: "never-used") { $0.prune = true }.lines.isEmpty)
        #expect(rig.owned().count == 2)
    }

    @Test func protectedObjectsDoNotCountForTheGuard() throws {
        var rig = ApplyRig()
        let protected = (0..<10).map {
            manifest(
                "p\($0)", "url: ws://example.test/p",
                metadata: "annotations: {wsm.virtufin.com/prune: disabled}")
        }
        try rig.apply(try ApplyRig.compile(protected + [connection("a")]))
        let outcome = try rig.apply(connection("a")) { $0.prune = true }
        #expect(outcome.count(.protected) == 10)
        #expect(outcome.count(.pruned) == 0)
    }
}
