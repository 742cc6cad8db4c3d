import Manager
import ManagerCore
import Spec
import TestKit
import Testing

/// Managers of fields, in an apply.
@Suite struct FieldConflictTests {
    private func url(_ name: String, _ extra: String = "", metadata: String = "") -> String {
        manifest(name, "url: ws://example.test/\(name)\n\(extra)", metadata: metadata)
    }

    @Test func anotherManagersValueIsAConflictThatNamesWhoSinceWhenAndThreeWaysOut() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a", topic: "A")) { $0.fieldManager = "ci" }
        let before = rig.desired("a")
        let refused = try rig.apply(connection("a", topic: "B"), connection("b")) {
            $0.fieldManager = "alice"
        }
        #expect(refused.lines == ["a conflict", "b created"])
        let result = refused.results[0]
        #expect(result.fieldConflicts.map(\.path) == ["topic"])
        #expect(result.fieldConflicts.map(\.owner.manager) == ["ci"])
        for text in [
            "topic is managed by ci since \(someTime.rfc3339Seconds)", "--force-conflicts",
            "leave the field out", "same value",
        ] {
            #expect(result.message.contains(text), "\(result.message)")
        }
        #expect(rig.desired("a") == before)
        let taken = try rig.apply(connection("a", topic: "B")) {
            $0.fieldManager = "alice"
            $0.forceConflicts = true
        }
        #expect(taken.lines == ["a configured"])
        #expect(rig.desired("a")?.spec.topic == "B")
        #expect(
            try rig.apply(connection("a", topic: "A")) { $0.fieldManager = "ci" }.lines
                == ["a conflict"], "now it is alice's")
    }

    @Test func aFieldLeftOutStaysTheOtherManagers() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a", topic: "A")) { $0.fieldManager = "ci" }
        let outcome = try rig.apply(url("a", "maxMessageSize: 2MiB")) { $0.fieldManager = "alice" }
        #expect(outcome.lines == ["a configured"])
        #expect(rig.desired("a")?.spec.topic == "A")
        #expect(rig.desired("a")?.spec.maxMessageSize == 2 << 20)
        #expect(rig.desired("a")?.spec.buffer.bytes == 8 << 20, "relations are settled anew")
        // Its own it may leave out; then the default holds again.
        try rig.apply(url("a")) { $0.fieldManager = "alice" }
        #expect(rig.desired("a")?.spec.maxMessageSize == 1 << 20)
        #expect(rig.desired("a")?.spec.topic == "A")
        try rig.apply(url("a")) { $0.fieldManager = "ci" }
        #expect(rig.desired("a")?.spec.topic == nil)
    }

    @Test func fieldsThatDoNotGoTogetherAreAConflict() throws {
        var rig = ApplyRig()
        try rig.apply(url("a", "buffer: {bytes: 1MiB}")) { $0.fieldManager = "ci" }
        let before = rig.desired("a")
        let outcome = try rig.apply(url("a", "maxMessageSize: 4MiB")) { $0.fieldManager = "alice" }
        #expect(outcome.lines == ["a conflict"])
        #expect(outcome.results[0].message.contains("buffer.bytes"))
        #expect(outcome.results[0].message.contains("--force-conflicts"))
        #expect(rig.desired("a") == before)
    }

    @Test func equalValuesAreSharedWithoutAChange() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a")) { $0.fieldManager = "ci" }
        let shared = try rig.apply(connection("a")) { $0.fieldManager = "alice" }
        #expect(shared.lines == ["a unchanged"] && shared.revision == 1)
        #expect(rig.desired("a")?.managers.shares.map(\.owner.manager).sorted() == ["alice", "ci"])
        let alone = try rig.apply(connection("a", topic: "x")) { $0.fieldManager = "ci" }
        #expect(alone.lines == ["a conflict"], "it is alice's as well")
    }

    @Test func adoptionTakesTheFieldsToo() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"), set: "left") {
            $0.fieldManager = "ci"
            $0.appliedBy = "ann@host"
        }
        let refused = try rig.apply(connection("a", topic: "x"), set: "right")
        for text in [
            "set left", "since \(someTime.rfc3339Seconds)", "ann@host", "--adopt", "--set",
            "another name",
        ] {
            #expect(refused.results[0].message.contains(text), "\(refused.results[0].message)")
        }
        let adopted = try rig.apply(connection("a", topic: "x"), set: "right") {
            $0.adopt = true
        }
        #expect(adopted.lines == ["a adopted"])
        #expect(rig.desired("a")?.managers.sole?.manager == "wsm-apply")
        #expect(rig.draft.applySet("left")?.history.last?.summary == "1 adopted by set right")
    }

    // MARK: Connection sets

    @Test func aSetIsManagedAsAWhole() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b"])) { $0.fieldManager = "ci" }
        let refused = try rig.apply(connectionSet("feeds", ["a", "b", "c"], topic: "x")) {
            $0.fieldManager = "alice"
        }
        #expect(refused.lines == ["[feeds] conflict"])
        #expect(refused.results[0].message.contains("spec.list, spec.template"))
        #expect(refused.results[0].message.contains("ci"))
        #expect(rig.desired("c") == nil)
        let same = try rig.apply(connectionSet("feeds", ["a", "b"])) { $0.fieldManager = "alice" }
        #expect(same.changesNothing)
        #expect(rig.draft.connectionSet("feeds")?.managers.map(\.manager) == ["ci", "alice"])
        let forced = try rig.apply(connectionSet("feeds", ["a", "b", "c"], topic: "x")) {
            $0.fieldManager = "alice"
            $0.forceConflicts = true
        }
        #expect(
            forced.lines == ["[feeds] configured", "a configured", "b configured", "c created"])
        #expect(rig.draft.connectionSet("feeds")?.managers.map(\.manager) == ["alice"])
    }

    @Test func aMemberWhoseTopicACallSetConflictsAloneAndStaysAMember() throws {
        var rig = ApplyRig()
        func set(_ extra: String) -> String {
            """
            apiVersion: wsm.virtufin.com/v1
            kind: ConnectionSet
            metadata: {name: feeds}
            spec:
              list: [{word: a}, {word: b}]
              name: '{{word}}'
              template: {spec: {url: 'ws://example.test/{{word}}'\(extra)}}
            """
        }
        try rig.apply(set(""))
        try rig.edit("a") { $0.setTopic("called", at: someTime) }
        let outcome = try rig.apply(set(", topic: x"))
        #expect(outcome.lines == ["[feeds] configured", "a conflict", "b configured"])
        #expect(outcome.results[1].message.contains("grpc"))
        #expect(rig.draft.connectionSet("feeds")?.members == ["a", "b"])
        #expect(rig.desired("a")?.effectiveTopic == "called")
    }

    @Test func membersOfOneEditShareWhatSaysWhoManagesThem() throws {
        var rig = ApplyRig()
        try rig.apply(connectionSet("feeds", ["a", "b"]))
        try rig.apply(connectionSet("feeds", ["a", "b"], topic: "x"))
        #expect(rig.desired("a")?.managers == rig.desired("b")?.managers)
        #expect(rig.desired("a")?.managers.isOnly("wsm-apply") == true)
    }
}
