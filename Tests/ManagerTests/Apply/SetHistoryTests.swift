import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

/// What a revision keeps of a set.
@Suite struct SetHistoryTests {
    private func history(_ rig: ApplyRig, _ set: String = "default") -> [ApplySetRecord.Revision] {
        rig.draft.applySet(set)?.history ?? []
    }

    /// The documents of a revision, as names with their topics.
    private func kept(_ rig: ApplyRig, _ number: Int64, _ set: String = "default") throws
        -> [String]
    {
        let revision = try #require(history(rig, set).first { $0.number == number })
        let text = rig.draft.revisionPages.filter { $0.key.set == set && $0.key.revision == number }
            .map(\.text).joined()
        let documents = try #require(SetHistory.documents(in: text, digest: revision.digest))
        return try documents.map { document in
            let json = try JSONValue.parse(document)
            let kind = json["kind"] == .string("ConnectionSet") ? "set " : ""
            guard case .string(let name)? = json["metadata"]?["name"] else { return "?" }
            guard case .string(let topic)? = json["spec"]?["topic"] else { return kind + name }
            return "\(name)=\(topic)"
        }
    }

    @Test func aRevisionKeepsTheWholeSetAndSetsUnexpanded() throws {
        var rig = ApplyRig()
        try rig.apply(connection("b", topic: "t1"), connectionSet("feeds", ["x", "z"]))
        try rig.apply(connection("a", topic: "t2"))
        try rig.apply(connection("b", topic: "t3"))
        #expect(try kept(rig, 1) == ["set feeds", "b=t1"])
        #expect(try kept(rig, 2) == ["set feeds", "a=t2", "b=t1"])
        #expect(try kept(rig, 3) == ["set feeds", "a=t2", "b=t3"])
        #expect(history(rig).map(\.content?.pages) == [1, 1, 1])
    }

    @Test func whatCallsSetIsNoPartOfARevision() throws {
        var rig = ApplyRig()
        try rig.apply(manifest("a", "url: ws://example.test/a"))
        try rig.edit("a") { $0.setTopic("called", at: someTime) }
        try rig.apply(connection("b"))
        #expect(try kept(rig, 2) == ["a", "b=t"])
    }

    @Test func equalContentHasEqualDigests() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"))
        try rig.apply(connection("a", topic: "x"))
        try rig.apply(connection("a"))
        let digests = history(rig).map(\.digest)
        #expect(digests[0] == digests[2] && digests[0] != digests[1])
    }

    @Test func aSetThatLosesAnObjectHasARevisionOfIt() throws {
        var rig = ApplyRig()
        try rig.apply(connection("a"), connection("b"), set: "left")
        try rig.apply(connection("a"), connectionSet("feeds", ["m"]), set: "right") {
            $0.adopt = true
            $0.appliedBy = "bob@host"
        }
        #expect(history(rig, "left").map(\.number) == [1, 2])
        #expect(history(rig, "left").last?.by == "bob@host")
        #expect(try kept(rig, 2, "left") == ["b=t"])
    }

    @Test func aPlanKeepsNothing() throws {
        let rig = ApplyRig()
        var copy = rig
        try copy.apply(connection("a")) { $0.isDryRun = true }
        #expect(copy.draft.revisionPages.isEmpty)
    }

    // MARK: Limits

    @Test func theOldestManifestsGoFirst() {
        var set = ApplySetRecord(epoch: 1, name: "s", uid: "u")
        func append(bytes: Int) {
            set.append(
                .init(
                    number: set.revision + 1, digest: "d", by: "", at: someTime, summary: "",
                    content: bytes > 0 ? .init(pages: 1, bytes: bytes) : nil))
        }
        for _ in 0..<ApplySetRecord.keptRevisions + 2 { append(bytes: 10) }
        #expect(set.history.filter { $0.content != nil }.map(\.number).first == 3)
        #expect(set.dropped == [1, 2])
        append(bytes: ApplySetRecord.keptBytes - 10)
        #expect(set.history.filter { $0.content != nil }.map(\.number) == [22, 23])
        append(bytes: 0)
        #expect(set.history.last?.content == nil, "one that is too large keeps none")
        #expect(set.history.filter { $0.content != nil }.map(\.number) == [22, 23])
        for _ in 0..<ApplySetRecord.longestHistory { append(bytes: 0) }
        #expect(set.history.allSatisfy { $0.content == nil })
        #expect(set.dropped == Set(1...23))
    }

    @Test(arguments: [1, 2, 3, 5, 64, 1_000])
    func pagesCutBetweenCharactersAndComeBack(_ limit: Int) throws {
        let documents = [#"{"a":"ü緑🟢"}"#, #"{"b":"\n"}"#, "{}"].map { Array($0.utf8) }
        let pages = SetHistory.pages(documents, limit: limit)
        #expect(pages.allSatisfy { !$0.isEmpty && !$0.contains("\u{FFFD}") } || limit < 4)
        guard limit >= 4 else { return }
        #expect(pages.allSatisfy { $0.utf8.count <= limit })
        var digest = ContentDigest()
        for document in documents { digest.add(document) }
        #expect(
            SetHistory.documents(in: pages.joined(), digest: digest.finalize()) == documents)
        #expect(
            SetHistory.documents(in: pages.dropFirst().joined(), digest: digest.finalize()) == nil)
    }
}
