import ManagerCore
import Spec
import Testing

@Suite struct DesiredConnectionTests {
    private func desired(
        declared: Set<String> = ["url"], labels: [String: String] = [:],
        _ edit: (inout ConnectionSpec) -> Void = { _ in }
    ) throws -> DesiredConnection {
        var spec = ConnectionSpec(url: "ws://example.test/feed")
        edit(&spec)
        return DesiredConnection(
            name: "a", uid: try #require(ConnectionUID(rawValue: "uid-a")),
            createdAt: WallTime(nanosecondsSinceEpoch: 0), keeper: .applySet("default"),
            spec: spec, declared: declared, labels: labels)
    }

    private func manifest(
        declared: Set<String> = ["url"], labels: [String: String] = [:],
        annotations: [String: String] = [:], _ edit: (inout ConnectionSpec) -> Void = { _ in }
    ) -> ConnectionManifest {
        var spec = ConnectionSpec(url: "ws://example.test/feed")
        edit(&spec)
        return ConnectionManifest(
            metadata: Metadata(name: "a", labels: labels, annotations: annotations), spec: spec,
            declared: declared)
    }

    @Test func theSameDeclarationChangesNothing() throws {
        var connection = try desired()
        let before = connection
        #expect(connection.redeclare(manifest()).isEmpty == true)
        #expect(connection == before)
    }

    @Test func aDefaultWrittenOutIsNoEdit() throws {
        var connection = try desired()
        let changes = connection.redeclare(
            manifest(declared: ["url", "keepalive.pingInterval"]) {
                $0.keepalive.pingInterval = .seconds(20)
            })
        #expect(changes.isEmpty)
        #expect(connection.generation == 1)
        #expect(connection.declared.contains("keepalive.pingInterval"))
    }

    @Test func anEditThatKeepsTheSocketRaisesTheGenerationOnly() throws {
        var connection = try desired()
        let changes = connection.redeclare(
            manifest(declared: ["url", "topic"]) { $0.topic = "trades" })
        #expect(changes.map(\.path) == ["topic"])
        #expect(changes.first?.effect == .keep)
        #expect(connection.generation == 2)
        #expect(connection.dialRevision == 1)
    }

    @Test func anEditThatNeedsASocketRaisesTheDialRevisionToo() throws {
        var connection = try desired()
        let changes = connection.redeclare(
            manifest(declared: ["url", "topic", "subprotocols"]) {
                $0.topic = "trades"
                $0.subprotocols = ["v1"]
            })
        #expect(changes.map(\.path) == ["topic", "subprotocols"])
        #expect(connection.generation == 2, "one apply is one generation")
        #expect(connection.dialRevision == 2)
    }

    @Test func labelsAndAnnotationsAreEditsThatKeepTheSocket() throws {
        var connection = try desired(labels: ["venue": "x", "gone": "1"])
        let changes = connection.redeclare(
            manifest(labels: ["venue": "y"], annotations: ["note": "hello"]))
        #expect(
            changes.map(\.path)
                == [
                    "metadata.labels[gone]", "metadata.labels[venue]",
                    "metadata.annotations[note]",
                ])
        #expect(changes.allSatisfy { $0.effect == .keep })
        #expect(connection.generation == 2)
        #expect(connection.dialRevision == 1)
    }

    @Test func aTopicSetByACallHoldsWhereNoneIsDeclared() throws {
        var connection = try desired()
        let before = connection
        connection.overlay.topic = "by-call"
        let changes = connection.settle(since: before)
        #expect(changes.map(\.path) == ["topic"])
        #expect(connection.effectiveTopic == "by-call")
        #expect(connection.effectiveSpec.topic == "by-call")
        #expect(connection.generation == 2)
        #expect(connection.dialRevision == 1)
    }

    @Test func aDeclaredTopicOutranksTheOneSetByACall() throws {
        var connection = try desired()
        connection.overlay.topic = "by-call"
        let changes = connection.redeclare(
            manifest(declared: ["url", "topic"]) { $0.topic = "declared" })
        #expect(connection.effectiveTopic == "declared")
        #expect(connection.effectiveSpec.topic == "declared")
        #expect(changes.map(\.old) == ["by-call"])
        #expect(changes.map(\.new) == ["declared"])
    }

    @Test func aTopicNoLongerDeclaredGivesWayToTheOneSetByACall() throws {
        var connection = try desired(declared: ["url", "topic"]) { $0.topic = "declared" }
        connection.overlay.topic = "by-call"
        #expect(connection.effectiveTopic == "declared")
        _ = connection.redeclare(manifest())
        #expect(connection.effectiveTopic == "by-call")
    }

    @Test func aDeclaredLabelOutranksATag() throws {
        var connection = try desired(labels: ["venue": "declared"])
        connection.overlay.labels = ["venue": "tag", "free": "tag"]
        #expect(connection.effectiveLabels == ["venue": "declared", "free": "tag"])
    }

    @Test func anOverlayThatAddsNothingIsNoEdit() throws {
        var connection = try desired(declared: ["url", "topic"], labels: ["venue": "x"]) {
            $0.topic = "declared"
        }
        let before = connection
        connection.overlay.topic = "by-call"
        connection.overlay.labels = ["venue": "x"]
        #expect(connection.settle(since: before).isEmpty == true)
        #expect(connection.generation == 1)
    }

    @Test func aSpentDialIsOneOfTheSameRevisionWithoutAutoReconnect() throws {
        var connection = try desired { $0.autoReconnect = false }
        #expect(!connection.isDialSpent)
        connection.spentDialRevision = connection.dialRevision
        #expect(connection.isDialSpent)
        _ = connection.redeclare(
            manifest(declared: ["url", "topic"]) {
                $0.autoReconnect = false
                $0.topic = "trades"
            })
        #expect(connection.isDialSpent, "an edit that keeps the socket gives no new dial")
        _ = connection.redeclare(
            manifest(declared: ["url", "subprotocols"]) {
                $0.autoReconnect = false
                $0.subprotocols = ["v2"]
            })
        #expect(!connection.isDialSpent, "an edit that needs a socket does")
        connection.spentDialRevision = connection.dialRevision
        _ = connection.redeclare(manifest { $0.subprotocols = ["v2"] })
        #expect(!connection.isDialSpent, "with autoReconnect nothing is ever spent")
    }
}
