import ManagerCore
import Spec
import TestKit
import Testing

/// Several managers of one object's fields.
@Suite struct FieldMergeTests {
    private static let early = WallTime(nanosecondsSinceEpoch: 1_000_000_000)
    private static let late = WallTime(nanosecondsSinceEpoch: 9_000_000_000)

    private func manifest(
        _ declared: Set<String>, labels: [String: String] = [:],
        _ edit: (inout ConnectionSpec) -> Void = { _ in }
    ) -> ConnectionManifest {
        var spec = ConnectionSpec(url: "ws://h/")
        edit(&spec)
        return ConnectionManifest(
            metadata: Metadata(name: "a", labels: labels), spec: spec,
            declared: declared.union(["url"]))
    }

    /// As `ci` declared it, early.
    private func present(_ manifest: ConnectionManifest) -> DesiredConnection {
        DesiredConnection(
            name: "a", uid: .sample("a"), createdAt: Self.early, keeper: .applySet("s"),
            spec: manifest.spec, declared: manifest.declared, labels: manifest.metadata.labels,
            managers: FieldManagers(sole: .init(manager: "ci", since: Self.early)))
    }

    private func merge(
        _ manifest: ConnectionManifest, into present: DesiredConnection, by manager: String,
        _ mode: FieldMerge.Mode = .init()
    ) -> FieldMerge {
        FieldMerge(
            manifest, into: present, by: .init(manager: manager, since: Self.late), mode: mode)
    }

    private func owners(_ merge: FieldMerge, _ path: String) -> [String] {
        merge.managers.owners(of: merge.manifest.declaredPaths)[path, default: []]
            .map { "\($0.manager)@\($0.since == Self.early ? "early" : "late")" }.sorted()
    }

    @Test func oneManagerNeverConflictsAndKeepsOneEntry() {
        let before = present(manifest(["topic"]) { $0.topic = "x" })
        let same = merge(manifest(["topic"]) { $0.topic = "x" }, into: before, by: "ci")
        #expect(same.managers == before.managers && same.conflicts.isEmpty)
        let changed = merge(manifest(["topic"]) { $0.topic = "y" }, into: before, by: "ci")
        #expect(changed.conflicts.isEmpty && !changed.keepsForeignFields)
        #expect(owners(changed, "topic") == ["ci@late"])
        #expect(owners(changed, "url") == ["ci@early"], "its value is as old as before")
        let dropped = merge(manifest([]), into: before, by: "ci")
        #expect(dropped.manifest.declared == ["url"])
        #expect(dropped.managers == before.managers)
    }

    @Test func anotherValueIsAConflictWithItsManagerAndTime() {
        let before = present(manifest(["topic"]) { $0.topic = "x" })
        let merge = merge(manifest(["topic"]) { $0.topic = "y" }, into: before, by: "alice")
        #expect(
            merge.conflicts == [
                .init(path: "topic", owner: .init(manager: "ci", since: Self.early))
            ])
    }

    @Test func equalValuesAreShared() {
        let before = present(manifest(["topic"]) { $0.topic = "x" })
        let merge = merge(manifest(["topic"]) { $0.topic = "x" }, into: before, by: "alice")
        #expect(merge.conflicts.isEmpty)
        #expect(owners(merge, "topic") == ["alice@late", "ci@early"])
    }

    @Test func whatOnlyOthersDeclareStays() {
        let before = present(
            manifest(["topic", "keepalive.pingInterval"], labels: ["k": "v"]) {
                $0.topic = "x"
                $0.keepalive.pingInterval = .seconds(3)
            })
        let merge = merge(
            manifest(["maxMessageSize"]) { $0.maxMessageSize = 9 }, into: before, by: "alice")
        #expect(merge.conflicts.isEmpty && merge.keepsForeignFields)
        #expect(merge.manifest.spec.topic == "x")
        #expect(merge.manifest.spec.keepalive.pingInterval == .seconds(3))
        #expect(merge.manifest.spec.maxMessageSize == 9)
        #expect(merge.manifest.metadata.labels == ["k": "v"])
        #expect(
            merge.manifest.declared == ["url", "topic", "keepalive.pingInterval", "maxMessageSize"])
        #expect(owners(merge, "metadata.labels[k]") == ["ci@early"])
        #expect(owners(merge, "url") == ["alice@late", "ci@early"])
    }

    @Test func takingOverMakesItTheOnlyManagerOfTheField() {
        let before = present(
            manifest(["topic"], labels: ["k": "v"]) { $0.topic = "x" })
        let merge = merge(
            manifest(["topic"], labels: ["k": "w"]) { $0.topic = "y" }, into: before, by: "alice",
            .init(takesOver: true))
        #expect(merge.conflicts.isEmpty)
        #expect(owners(merge, "topic") == ["alice@late"])
        #expect(owners(merge, "metadata.labels[k]") == ["alice@late"])
        #expect(merge.manifest.metadata.labels == ["k": "w"])
    }

    @Test func aWholeDeclarationLeavesNothingOfOthers() {
        let before = present(manifest(["topic"]) { $0.topic = "x" })
        let refused = merge(manifest([]), into: before, by: "alice", .init(isWhole: true))
        #expect(refused.conflicts.map(\.path) == ["topic"])
        let taken = merge(
            manifest([]), into: before, by: "alice", .init(takesOver: true, isWhole: true))
        #expect(taken.manifest.declared == ["url"] && taken.manifest.spec.topic == nil)
    }

    // MARK: API calls

    @Test func whatACallSetIsManagedByGrpcSinceThen() {
        var before = present(manifest([]))
        before.setTopic("called", at: Self.late)
        before.setTags(["k": "v"], at: Self.late)
        #expect(before.overlayPaths == ["topic", "metadata.labels[k]"].sorted())
        let merge = merge(
            manifest(["topic"], labels: ["k": "w"]) { $0.topic = "x" }, into: before, by: "ci")
        let grpc = FieldOwner(manager: "grpc", since: Self.late)
        #expect(
            merge.conflicts == [
                .init(path: "metadata.labels[k]", owner: grpc), .init(path: "topic", owner: grpc),
            ])
        let taken = self.merge(
            manifest(["topic"], labels: ["k": "w"]) { $0.topic = "x" }, into: before, by: "ci",
            .init(takesOver: true))
        #expect(taken.overlay.topic == nil && taken.overlay.labels.isEmpty)
        let shared = self.merge(
            manifest(["topic"]) { $0.topic = "called" }, into: before, by: "ci")
        #expect(shared.conflicts.isEmpty && shared.overlay.topic == "called")
    }

    @Test func aCallThatSaysTheSameKeepsItsTime() {
        var before = present(manifest([]))
        before.setTags(["k": "v", "l": "w"], at: Self.early)
        before.setTags(["k": "v", "l": "x"], at: Self.late)
        #expect(before.overlay.setAt["metadata.labels[k]"] == Self.early)
        #expect(before.overlay.setAt["metadata.labels[l]"] == Self.late)
        before.setTags([:], at: Self.late)
        #expect(before.overlay.setAt.isEmpty)
    }

    // MARK: Names

    @Test(arguments: ["", "grpc", "a b", "a\u{7}", String(repeating: "x", count: 129)])
    func badNamesOfManagersAreRefused(_ name: String) {
        #expect(FieldManagers.problem(name) != nil)
    }

    @Test(arguments: ["ci", "wsm-apply", "团队", String(repeating: "x", count: 128)])
    func goodNamesOfManagersAreTaken(_ name: String) {
        #expect(FieldManagers.problem(name) == nil)
    }
}
