import ManagerAPI
import ManagerCore
import TestKit
import Testing

@testable import Manager

/// The cluster as a member sees it.
struct ClusterViewTests {
    /// Members on one store that answers at once.
    private struct World {
        var members: [ClusterMember]
        var store: [ClusterKey: StoredValue] = [:]
        var now = Moment(.zero)
        var tag = 0

        init(_ nodes: [String]) {
            members = nodes.enumerated().map { index, node in
                ClusterMember(
                    configuration: ClusterConfiguration(
                        node: node, hostID: "host-\(node)", address: "\(node):1"),
                    random: SplitMix64(seed: UInt64(index + 1)))
            }
        }

        mutating func handle(_ index: Int, _ input: ClusterInput) {
            var inputs = [input]
            while !inputs.isEmpty {
                let wall = Duration.seconds(1_000) + (now - Moment(.zero))
                let actions = members[index].handle(
                    inputs.removeFirst(), now: now, wall: wall)
                for action in actions {
                    if let answer = execute(action, by: index) { inputs.append(answer) }
                }
            }
        }

        private mutating func execute(_ action: ClusterAction, by index: Int) -> ClusterInput? {
            switch action {
            case .read(let call, let keys):
                return .readEnded(
                    call, keys.map { key in (key, store[key].map { .found($0) } ?? .absent) })
            case .write(let call, let key, let expected, let value):
                if store[key]?.tag == expected {
                    tag += 1
                    store[key] = StoredValue(value: value, tag: StoreTag("\(tag)"))
                }
                return .writeEnded(call)
            case .stopReading(let shard, let title, let stop):
                return .drained(shard: shard, title: title, stop: stop, [])
            default: return nil
            }
        }

        /// - Parameter silent: members whose process stands still.
        mutating func pass(_ seconds: Int, silent: Set<Int> = []) {
            for _ in 0..<seconds * 4 {
                now = now + .milliseconds(250)
                for index in members.indices where !silent.contains(index) {
                    handle(index, .tick(loopsLive: true))
                }
            }
        }

        func view(_ index: Int) -> ClusterView { ClusterView(member: members[index], now: now) }
    }

    @Test func beforeItHasJoinedThereIsNobody() {
        let view = World(["a"]).view(0)
        #expect(view.members.isEmpty && view.shards.isEmpty && view.clusterID == nil)
        #expect(!view.isMember)
        #expect(view.instance == "a")
    }

    @Test func aMemberSeesWhoHasWhat() {
        var world = World(["a", "b"])
        world.pass(30)
        let (a, b) = (world.view(0), world.view(1))
        #expect(a.isMember && b.isMember)
        #expect(a.clusterID == b.clusterID)
        #expect(a.members.map(\.instance) == ["a", "b"])
        #expect(a.members.map(\.isSelf) == [true, false])
        #expect(a.members.map(\.state) == [.alive, .alive])
        #expect(a.members.map(\.address) == ["a:1", "b:1"])
        #expect(a.members.allSatisfy { $0.suspicion == nil })
        #expect(a.members.reduce(0) { $0 + $1.shards } == Shards.count)
        #expect(a.served.isDisjoint(with: b.served))
        #expect(a.served.union(b.served).count == Shards.count)
        #expect(a.shards.allSatisfy { $0.owner != nil && $0.epoch >= 1_000 })
        #expect(a.shards.filter { $0.state == .owned }.allSatisfy { $0.owner == "b" })
        #expect((a.members.first?.standsFor ?? .zero) > .seconds(20))
    }

    @Test func silenceIsSuspectAndThenDeath() {
        var world = World(["a", "b"])
        world.pass(30)
        let had = world.view(1).served
        world.pass(9, silent: [1])
        let suspecting = world.view(0)
        #expect(
            suspecting.members.last?.suspicion?.hasPrefix("no heartbeat was seen for ") == true)
        world.pass(2, silent: [1])
        // Dead it is shown for as long as a shard names it.
        let dead = world.view(0)
        if let member = dead.members.first(where: { $0.instance == "b" }) {
            #expect(member.state == .dead || member.suspicion != nil)
        }
        world.pass(20, silent: [1])
        let after = world.view(0)
        #expect(after.members.map(\.instance) == ["a"])
        #expect(after.served.count == Shards.count)
        #expect(!had.isEmpty)
    }

    @Test func aLeaseThatRanOutIsSeen() {
        var world = World(["a"])
        world.pass(10)
        #expect(world.view(0).fencedFor == nil)
        world.now = world.now + .seconds(7)
        world.handle(0, .tick(loopsLive: false))
        #expect(world.view(0).fencedFor == .zero)
    }

    @Test func cordonAndDrainAreSeenByOthers() {
        var world = World(["a", "b"])
        world.pass(30)
        world.handle(1, .cordon(true))
        world.pass(5)
        #expect(world.view(0).members.last?.isCordoned == true)
        world.handle(1, .drain(isRestart: false))
        world.pass(1)
        #expect(world.view(1).isDraining)
        #expect(!world.view(1).moves.isEmpty)
        #expect(world.view(1).moves.allSatisfy { $0.isDrain })
        world.pass(2)
        #expect(world.view(0).members.last?.state == .draining)
    }

    // MARK: As it is told

    @Test func whatMembersSayOfThemselvesIsPutIn() throws {
        var world = World(["a", "b"])
        world.pass(30)
        world.handle(1, .drain(isRestart: false))
        world.pass(1)
        let own = Wsm_V1_Cluster(world.view(0), connections: 3, now: someTime, isBrief: false)
        var other = Wsm_V1_Cluster(world.view(1), connections: 4, now: someTime, isBrief: false)
        other.members[1].fenced = true
        var report = ClusterReport(own)
        report.add(other)
        let whole = report.cluster(isBrief: false)
        #expect(whole.members.map(\.connections) == [3, 4])
        #expect(whole.members.map(\.fenced) == [false, true])
        #expect(!whole.moves.isEmpty)
        #expect(whole.moves.allSatisfy { $0.from == "b" && $0.drain })
        #expect(whole.unserved == 0)
        #expect(!whole.shards.contains { $0.state == "owned" })
        #expect(whole.timing.lease == 6_000)
        #expect(report.cluster(isBrief: true).shards.isEmpty)
        var silent = ClusterReport(own)
        silent.add(silent: "b", because: "it does not answer")
        let partial = silent.cluster(isBrief: false)
        #expect(partial.members[1].problem == "it does not answer")
        #expect(!partial.members[1].hasConnections)
        #expect(partial.unserved == 0, "what another owns is served for all that is known")
    }
}

struct ClusterEventTests {
    @Test func whatIsCountedIsToldInWords() {
        let identity = Identity(
            slot: 3, slotEpoch: 7, incarnation: Incarnation(high: 1, low: 2))
        let told: [(ClusterAction.Counted, String)] = [
            (.joined(identity), "joined at place 3, epoch 7"),
            (.buried(identity), "the holder of place 3, epoch 7 is declared dead"),
            (.adopted(shard: 12, .takeover), "shard 12 is served here (takeover)"),
            (.handOverBegan(shard: 4), "shard 4: a hand-over begins"),
            (.unfenced, "the lease is proven again"),
        ]
        for (counted, words) in told { #expect(counted.words == words) }
    }
}
