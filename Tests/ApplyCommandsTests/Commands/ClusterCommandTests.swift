import GRPCCore
import ManagerAPI
import Synchronization
import Testing

@testable import ApplyCommands

/// Counts how often it was asked.
private final class Looks: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}

/// `cluster`, `drain`, `cordon` and `uncordon`.
struct ClusterCommandTests {
    private static func member(
        _ name: String, _ edit: (inout Wsm_V1_ClusterMember) -> Void = { _ in }
    ) -> Wsm_V1_ClusterMember {
        var member = Wsm_V1_ClusterMember()
        member.instance = name
        member.state = "alive"
        member.address = "10.0.0.1:5002"
        member.shards = 128
        member.connections = 42
        member.weight = 1
        edit(&member)
        return member
    }

    private static var cluster: Wsm_V1_Cluster {
        var cluster = Wsm_V1_Cluster()
        cluster.clustered = true
        cluster.instance = "wsm-1"
        cluster.shardCount = 256
        cluster.members = [member("wsm-1") { $0.self_p = true }, member("wsm-2")]
        return cluster
    }

    private func script(
        _ edit: (inout Wsm_V1_Cluster) -> Void = { _ in }
    ) -> FakeOrchestrator.Script {
        var cluster = Self.cluster
        edit(&cluster)
        let answer = cluster
        var script = FakeOrchestrator.Script()
        script.cluster = { answer }
        return script
    }

    @Test func aClusterThatIsWellIsATable() async throws {
        let run = try await run("cluster", script: script())
        #expect(
            run.output == """
                INSTANCE  STATE  ADDRESS        SHARDS  CONNECTIONS  SINCE  NOTE
                wsm-1     alive  10.0.0.1:5002     128           42  -      -
                wsm-2     alive  10.0.0.1:5002     128           42  -      -

                """)
        #expect(run.status == .done)
    }

    @Test func whatIsAmissIsSaidAndIsTheExitCode() async throws {
        let run = try await run(
            "cluster",
            script: script { cluster in
                cluster.unserved = 128
                cluster.members[1].clearConnections()
                cluster.members[1].cordoned = true
                cluster.members[1].suspicion = "no heartbeat was seen for 8.2 s"
                cluster.members[1].suspected = true
                cluster.members[1].problem = "it does not\nanswer"
                var move = Wsm_V1_ClusterMove()
                (move.shard, move.from, move.to) = (7, "wsm-1", "wsm-2")
                (move.step, move.drain) = ("shadowing", true)
                cluster.moves = [move]
            })
        #expect(
            run.output == """
                INSTANCE  STATE           ADDRESS        SHARDS  CONNECTIONS  SINCE  NOTE
                wsm-1     alive           10.0.0.1:5002     128           42  -      -
                wsm-2     alive,cordoned  10.0.0.1:5002     128            -  -      \
                suspected: no heartbeat was seen for 8.2 s; no answer: it does not answer
                128 of 256 shards not served by anybody

                SHARD  FROM   TO     STEP       WHY
                    7  wsm-1  wsm-2  shadowing  drain

                """)
        #expect(run.status == .different)
    }

    @Test func jsonHasEverything() async throws {
        let run = try await run(
            "cluster", "-o", "json",
            script: script { cluster in
                var shard = Wsm_V1_ClusterShard()
                (shard.shard, shard.state, shard.owner, shard.epoch) = (3, "serving", "wsm-1", 9)
                cluster.shards = [shard]
                cluster.timing.lease = 6_000
            })
        for part in [
            #""kind": "Cluster""#, #""instance": "wsm-2""#, #""state": "serving""#,
            #""leaseMs": 6000"#, #""connections": 42"#,
        ] {
            #expect(run.output.contains(part), "\(part)")
        }
        let names = try await ApplyCommandsTests.run("cluster", "-o", "name", script: script())
        #expect(names.output == "wsm-1\nwsm-2\n")
    }

    @Test func aServerThatIsAloneIsNoFault() async throws {
        var script = FakeOrchestrator.Script()
        script.cluster = { Wsm_V1_Cluster() }
        let run = try await run("cluster", script: script)
        #expect(run.output.contains("is alone on its state store"))
        #expect(run.status == .done)
    }

    // MARK: drain and cordon

    @Test func aDrainSaysWhatIsToBeHandedOver() async throws {
        var script = script()
        script.drain = { _ in
            var response = Wsm_V1_DrainResponse()
            response.shards = 1
            return response
        }
        let fake = FakeOrchestrator(script)
        let run = try await fake.serve { await $0.run(["drain", "wsm-2", "--restart"]) }
        #expect(run.error == "wsm-2 is draining: 1 shard to hand over\n")
        #expect(run.status == .done)
        let sent = try #require(fake.requests(Wsm_V1_DrainRequest.self).first)
        #expect(sent.instance == "wsm-2" && sent.restart)
    }

    @Test func waitingEndsWhenTheInstanceIsGone() async throws {
        let looks = Looks()
        var script = FakeOrchestrator.Script()
        script.drain = { _ in Wsm_V1_DrainResponse() }
        script.cluster = {
            var cluster = Self.cluster
            cluster.members[1].state = looks.next() < 3 ? "draining" : "away"
            return cluster
        }
        let run = try await run(
            "drain", "wsm-2", "--wait", world: World(timeIsUpAfter: "is draining"),
            script: script)
        #expect(run.error.hasSuffix("wsm-2 is gone\n"))
        #expect(run.status == .done)
        #expect(looks.next() == 4)
    }

    @Test func waitingHasAnEnd() async throws {
        var script = script { $0.members[1].state = "draining" }
        script.drain = { _ in Wsm_V1_DrainResponse() }
        let run = try await run("drain", "wsm-2", "--wait", "--timeout", "1ms", script: script)
        #expect(run.status == .timedOut)
    }

    @Test func aMemberThatIsNotThereIsExitCodeOne() async throws {
        var script = script()
        script.drain = { _ in
            throw RPCError(code: .notFound, message: "there is no living member wsm-9")
        }
        let run = try await run("drain", "wsm-9", script: script)
        #expect(run.status == .different)
        #expect(run.error.contains("there is no living member wsm-9"))
    }

    @Test func cordonAndUncordonSayWhom() async throws {
        let fake = FakeOrchestrator(script())
        let (one, two, three) = try await fake.serve { world in
            (
                await world.run(["cordon", "wsm-1"]), await world.run(["uncordon", "wsm-1"]),
                await world.run(["drain", "wsm-1", "--call-off"])
            )
        }
        #expect(one.error == "wsm-1 cordoned\n")
        #expect(two.error == "wsm-1 uncordoned\n")
        #expect(three.error == "the drain of wsm-1 is called off\n")
        #expect(fake.requests(Wsm_V1_CordonRequest.self).map(\.cordoned) == [true, false])
        #expect(fake.requests(Wsm_V1_CallOffDrainRequest.self).map(\.instance) == ["wsm-1"])
    }

    @Test func whatDoesNotGoTogetherIsRefused() async throws {
        let run = try await run("drain", "wsm-1", "--call-off", "--wait", script: script())
        #expect(run.status == .invalid)
    }
}
