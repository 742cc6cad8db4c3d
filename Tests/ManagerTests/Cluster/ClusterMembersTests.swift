import GRPCCore
import ManagerAPI
import ManagerCore
import TestKit
import Testing

@testable import Manager

/// The cluster itself, as any instance tells of it, and what an operator asks of one.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ClusterMembersTests {
    private func drain(_ instance: String) -> Wsm_V1_DrainRequest {
        var request = Wsm_V1_DrainRequest()
        request.instance = instance
        return request
    }

    @Test func everyMemberSaysWhatItHas() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("one", at: "a")
            try await rig.put("two", at: "b")
            try await rig.put("three", at: "b")
            let cluster = try await rig.node("a").orchestrator.getCluster(.init())
            #expect(cluster.clustered)
            #expect(cluster.instance == "a")
            #expect(cluster.clusterID == "00000000000000010000000000000002")
            #expect(cluster.members.map(\.instance) == ["a", "b"])
            #expect(cluster.members.map(\.self_p) == [true, false])
            #expect(cluster.members.map(\.connections) == [1, 2])
            #expect(cluster.shards.count == Shards.count)
            #expect(cluster.shards[Shards.shard(of: "two")].owner == "b")
            #expect(cluster.shards[Shards.shard(of: "two")].state == "serving")
            #expect(Int(cluster.unserved) == Shards.count - 3)
            var brief = Wsm_V1_GetClusterRequest()
            brief.brief = true
            let short = try await rig.node("b").orchestrator.getCluster(brief)
            #expect(short.shards.isEmpty)
            #expect(short.unserved == cluster.unserved)
            #expect(short.members.map(\.self_p) == [false, true])
        }
    }

    @Test func oneThatDoesNotAnswerIsShownWithItsReason() async throws {
        try await ClusterRig.run("a", "b") { rig in
            let address = rig.ownership.now.addresses["b"]
            try await rig.kill("b")
            rig.ownership.edit { state in
                state.members.append("b")
                state.addresses["b"] = address
            }
            let cluster = try await rig.node("a").orchestrator.getCluster(.init())
            let other = try #require(cluster.members.last)
            #expect(other.instance == "b")
            #expect(!other.hasConnections)
            #expect(other.problem.contains("does not answer"))
        }
    }

    @Test func aDrainAndACordonReachTheInstanceThatIsNamed() async throws {
        try await ClusterRig.run("a", "b") { rig in
            try await rig.put("one", at: "b")
            let orchestrator = try rig.node("a").orchestrator
            #expect(try await orchestrator.drain(drain("b")).shards == 1)
            #expect(rig.ownership.now.drains == ["b"])
            #expect(try await orchestrator.drain(drain("a")).shards == 0)
            #expect(rig.ownership.now.drains == ["b", "a"])
            var callOff = Wsm_V1_CallOffDrainRequest()
            callOff.instance = "b"
            _ = try await orchestrator.callOffDrain(callOff)
            #expect(rig.ownership.now.drains == ["a"])
            var cordon = Wsm_V1_CordonRequest()
            (cordon.instance, cordon.cordoned) = ("b", true)
            _ = try await orchestrator.cordon(cordon)
            #expect(rig.ownership.now.cordons == ["b": true])
            #expect(
                rig.auditLines.contains {
                    $0.hasPrefix("b:") && $0.hasSuffix("wsm.v1.Orchestrator/Cordon via OK")
                })
        }
    }

    @Test func whoIsNotThereIsNotFound() async throws {
        try await ClusterRig.run("a", "b") { rig in
            let orchestrator = try rig.node("a").orchestrator
            let error = await #expect(throws: RPCError.self) {
                try await orchestrator.drain(drain("z"))
            }
            #expect(error?.code == .notFound)
            #expect(error?.message == "there is no living member z: the members are a, b")
            let empty = await #expect(throws: RPCError.self) {
                try await orchestrator.drain(drain(""))
            }
            #expect(empty?.code == .invalidArgument)
        }
    }

    @Test func aServerThatIsAloneHasNobodyToDrain() async throws {
        try await ClusterRig.run("a") { rig in
            let alone = try rig.node("a").running.orchestrator
            let cluster = try await alone.getCluster(.init())
            #expect(!cluster.clustered)
            #expect(cluster.instance == "a")
            let error = await #expect(throws: RPCError.self) { try await alone.drain(drain("a")) }
            #expect(error?.code == .failedPrecondition)
        }
    }
}
