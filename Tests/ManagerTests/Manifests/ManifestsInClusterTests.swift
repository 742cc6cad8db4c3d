import ManagerCore
import Spec
import TestKit
import Testing

@testable import Manager

/// One directory of manifests for each of two instances: the owner of the set applies its own.
@Suite(.timeLimit(.minutes(1))) struct ManifestsInClusterTests {
    private let cluster: ShardedCluster
    private let stores: [TwoTierStore]
    private let directories: [TemporaryDirectory]
    private let manifests: [ManifestsDirectory]
    private let clock = ManualClock()

    init() throws {
        (cluster, stores) = ShardedCluster.of(2)
        directories = try (0..<2).map { _ in try TemporaryDirectory() }
        let (clock, bus) = (clock.managerClock, RecordingBus())
        manifests = zip(directories, stores).map { directory, store in
            ManifestsDirectory(
                .init(directory: directory.path, set: "manifests", instanceID: "i"),
                store: store, lifecycle: LifecyclePublisher(bus: bus, epoch: 1),
                clock: clock, logger: silent, onCheck: { _ in })
        }
        own(0)
    }

    private func own(_ index: Int?) {
        cluster.give(Shards.shard(of: "manifests"), to: index)
    }

    private func write(_ topic: String, to indices: Int...) throws {
        for index in indices {
            try directories[index].write(connection("a", topic: topic), to: "a.yaml")
        }
    }

    /// Lets both look until nothing is left to do.
    private func settle() async {
        for _ in 0..<4 {
            for one in manifests { clock.advance(by: await one.step()) }
        }
    }

    private var topic: String? { try? cluster.connection("a")?.desired.spec.topic }
    private func reason(_ index: Int) -> String { manifests[index].report.check.reason }

    @Test func onlyTheOwnerOfTheSetApplies() async throws {
        try write("one", to: 0)
        try write("other", to: 1)
        await settle()
        #expect(topic == "one")
        #expect(reason(0) == "Applied" && reason(1) == "Standby")
        #expect(manifests[1].report.check.message.contains("i0 owns set manifests"))
        #expect(manifests[1].report.check.isOK)
        let before = cluster.log.count
        await settle()
        #expect(cluster.log.count == before)
    }

    @Test func theNextOwnerGoesOnAndTheFormerStandsBy() async throws {
        try write("one", to: 0, 1)
        await settle()
        own(1)
        await settle()
        #expect(reason(0) == "Standby" && reason(1) == "Applied")
        #expect(try cluster.set("manifests")?.revision == 1, "there was nothing to change")
        try write("two", to: 1)
        await settle()
        #expect(topic == "two")
        own(nil)
        await settle()
        #expect(reason(1) == "Standby")
        #expect(manifests[1].report.check.message.contains("no instance owns set manifests"))
    }

    /// A roll-out: the new manifests are at one instance while the other still has the old ones.
    @Test func whatIsSupersededIsNotAppliedAgain() async throws {
        try write("old", to: 0, 1)
        await settle()
        try write("new", to: 0)
        await settle()
        #expect(topic == "new")
        own(1)
        await settle()
        #expect(topic == "new", "the old manifests do not come back")
        #expect(reason(1) == "Superseded" && !manifests[1].report.check.isOK)
        try write("new", to: 1)
        await settle()
        #expect(reason(1) == "Applied")
        #expect(try cluster.set("manifests")?.revision == 2)
    }

    @Test func aDirectoryThatIsTakenBackIsApplied() async throws {
        try write("old", to: 0, 1)
        await settle()
        try write("new", to: 0, 1)
        await settle()
        clock.advance(by: .seconds(5))
        try write("old", to: 0, 1)
        await settle()
        #expect(topic == "old" && reason(0) == "Applied")
        own(1)
        await settle()
        #expect(topic == "old" && reason(1) == "Applied")
    }

    @Test func anOperatorCanInsist() async throws {
        try write("old", to: 0, 1)
        await settle()
        try write("new", to: 0)
        await settle()
        own(1)
        await settle()
        #expect(reason(1) == "Superseded")
        manifests[1].reload()
        await settle()
        #expect(topic == "old" && reason(1) == "Applied")
    }

    @Test func whatSomebodyChangedByHandIsPutRightAsEver() async throws {
        try write("one", to: 0, 1)
        await settle()
        try await stores[1].apply(connection("a", topic: "by-hand"), set: "manifests") {
            $0.appliedBy = "rob@here"
            $0.fieldManager = FieldManagers.standard
        }
        #expect(topic == "by-hand")
        await settle()
        #expect(topic == "one" && reason(0) == "Applied")
    }
}
