import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

/// The store over real cluster nodes, in time that the test moves.
@Suite(.timeLimit(.minutes(2))) struct StoreOverNodesTests {
    private let names = (0..<24).map { "c-\($0)" }

    private func join(_ name: String, _ world: ClusterWorld) -> (TestNode, TwoTierStore) {
        let clustered = TwoTierStore.clustered(
            world.store, epoch: 1, logger: silent, onChange: { _ in })
        let node = world.addNode(name, memory: clustered.memory)
        clustered.join(node.node)
        return (node, clustered.store)
    }

    /// Awaits what needs time to pass.
    private func running<Result: Sendable>(
        _ world: ClusterWorld, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let isDone = Flag()
        let task = Task {
            defer { isDone.raise() }
            return try await body()
        }
        _ = await world.advance { isDone.isRaised }
        return try await task.value
    }

    /// Both serve something; more is being moved.
    private func isShared(_ stores: [TwoTierStore]) -> Bool {
        stores.allSatisfy { store in names.contains { store.isServed($0) } }
    }

    private func apply(_ store: TwoTierStore, topic: String) async throws -> ApplyOutcome {
        let yaml = names.map { connection($0, topic: topic) }.joined(separator: "---\n")
        return try await store.apply(yaml)
    }

    @Test func memoryIsWhatWasCommittedAndOutlivesItsOwner() async throws {
        let world = ClusterWorld()
        let (_, first) = join("a", world)
        let (second, other) = join("b", world)
        #expect(await world.advance(upTo: .seconds(300)) { isShared([first, other]) })

        // Shards are still handed over meanwhile.
        let created = try await running(world) { try await apply(first, topic: "one") }
        #expect(created.count(.created) == names.count)
        #expect(Set(first.names).union(other.names) == Set(names))
        #expect(!first.names.isEmpty && !other.names.isEmpty)
        #expect(Set(first.names).isDisjoint(with: other.names))
        let changed = try await running(world) { try await apply(other, topic: "two") }
        #expect(changed.count(.configured) == names.count && changed.baseRevision == 1)
        let again = try await running(world) { try await apply(first, topic: "two") }
        #expect(again.changesNothing)

        let writer = StatusWriter(store: other, logger: silent) { _ in
            StoredStatus(phase: .connected, attempt: 2, published: 11)
        }
        let lost = other.names
        for name in lost { writer.note(name) }
        _ = try await running(world) { await writer.flush() }
        #expect(lost.allSatisfy { other.record($0)?.observed?.published == 11 })
        let tag = try #require(lost.first)
        try await running(world) { try await first.tag(tag, "k", "v") }
        #expect(other.record(tag)?.observed?.published == 11)
        #expect(other.desired(tag)?.overlay.labels == ["k": "v"])

        await world.crash(second)
        #expect(await world.advance { Set(first.names) == Set(names) })
        for name in lost {
            #expect(first.record(name)?.observed?.published == 11, "the gap event needs it")
            #expect(first.desired(name)?.spec.topic == "two")
        }
        #expect(first.desired(tag)?.overlay.labels == ["k": "v"])
        #expect(await world.advance { first.isServed(tag) })
        try await running(world) { try await first.remove(tag) }
        #expect(first.desired(tag) == nil)
        #expect(try await running(world) { try await first.find(connection: tag) } == nil)
    }
}
