import Manager
import ManagerCore
import TestKit
import Testing

struct ClusterNodeTests {
    private let names = (0..<40).map { "c-\($0)" }

    private func creations() -> [RecordChange] {
        names.map {
            RecordChange(
                name: $0, kind: .create, revision: 1, uid: LiveRecord.key(ofUID: $0),
                content: Array(#"{"v":1}"#.utf8))
        }
    }

    private func change(
        _ changes: [RecordChange], at node: TestNode, in world: ClusterWorld
    ) async -> [CallResult] {
        let call = Task { await node.node.change(changes) }
        let isDone = Flag()
        Task {
            _ = await call.value
            isDone.raise()
        }
        _ = await world.advance { isDone.isRaised }
        return await call.value
    }

    private func serves(_ node: TestNode, _ count: Int) -> Bool {
        names.count {
            if case .me = node.node.owner(of: $0) { true } else { false }
        } == count
    }

    @Test func aNodeAloneTakesEveryShardAndKeepsRecords() async throws {
        let world = ClusterWorld()
        let node = world.addNode("a")
        #expect(await world.advance { serves(node, names.count) })
        let results = await change(creations(), at: node, in: world)
        #expect(results == names.map { _ in .done })
        #expect(node.memory.names == Set(names))
        let entry = try #require(try await world.store.get("wsm/conn/c-1"))
        let record = try ClusterCodec.record(entry.value, key: "wsm/conn/c-1")
        #expect(record.content == Array(#"{"v":1}"#.utf8))
        #expect(record.revision == 1)
    }

    @Test func aChangeFromAnotherBaseIsRefused() async {
        let world = ClusterWorld()
        let node = world.addNode("a")
        _ = await world.advance { serves(node, names.count) }
        _ = await change(creations(), at: node, in: world)
        let uid = LiveRecord.key(ofUID: "c-1")
        let right = RecordChange(
            name: "c-1", kind: .change, revision: 2, base: .init(uid: uid, revision: 1),
            content: [0x7B, 0x7D])
        #expect(await change([right], at: node, in: world) == [.done])
        #expect(await change([right], at: node, in: world) == [.refused])
        #expect(node.memory.record("c-1")?.revision == 2)
    }

    @Test func changesReachTheirOwnersAndACrashIsHealed() async {
        let world = ClusterWorld()
        let nodes = ["a", "b", "c"].map { world.addNode($0) }
        let isShared = await world.advance(upTo: .seconds(300)) {
            nodes.allSatisfy { !$0.memory.shards.isEmpty }
                && nodes.reduce(0) { $0 + $1.memory.shards.count } == Shards.count
                && names.allSatisfy { nodes[0].node.owner(of: $0) != .nobody }
        }
        #expect(isShared)
        let results = await change(creations(), at: nodes[0], in: world)
        #expect(results == names.map { _ in .done })
        #expect(nodes.reduce(0) { $0 + $1.memory.names.count } == names.count)
        #expect(nodes.allSatisfy { !$0.memory.names.isEmpty })

        await world.crash(nodes[1])
        let isHealed = await world.advance(upTo: .seconds(60)) {
            nodes[0].memory.names.union(nodes[2].memory.names) == Set(names)
        }
        #expect(isHealed)
        #expect(nodes[0].memory.names.isDisjoint(with: nodes[2].memory.names))
        #expect(nodes[0].connections.events.contains("takeUp takeover"))
    }

    @Test func leavingHandsEverythingOver() async {
        let world = ClusterWorld()
        let (first, second) = (world.addNode("a"), world.addNode("b"))
        _ = await world.advance(upTo: .seconds(300)) {
            first.memory.shards.count + second.memory.shards.count == Shards.count
                && !first.memory.shards.isEmpty && !second.memory.shards.isEmpty
                && names.allSatisfy { first.node.owner(of: $0) != .nobody }
        }
        _ = await change(creations(), at: first, in: world)
        let left = Flag()
        Task {
            await first.node.leave(isRestart: false)
            left.raise()
        }
        #expect(await world.advance(upTo: .seconds(60)) { left.isRaised })
        #expect(await world.advance { second.memory.names == Set(names) })
        #expect(second.connections.events.contains("takeUp handover"))
        #expect(!second.connections.events.contains("takeUp takeover"))
        #expect(await world.advance { second.node.members.map(\.instance) == ["b"] })
    }
}
