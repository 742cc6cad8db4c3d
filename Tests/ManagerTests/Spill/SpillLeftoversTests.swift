import ManagerCore
import Spec
import Synchronization
import TestKit
import Testing

@testable import Manager

/// What becomes of spilled messages whose connection does not come back.
@Suite(.timeLimit(.minutes(1))) struct SpillLeftoversTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path + "/spill"
    }

    private final class Counted: Sendable {
        private let state = Mutex<[DropReason: Int]>([:])
        var all: [DropReason: Int] { state.withLock { $0 } }
        func add(_ reason: DropReason, _ messages: Int) {
            state.withLock { $0[reason, default: 0] += messages }
        }
    }

    private func spill(_ uid: ConnectionUID, _ name: String, epoch: UInt64, _ count: Int) throws {
        let run = EventRun(
            origin: EventOrigin(uid: uid, epoch: epoch, name: name, url: "ws://a"), topic: "t",
            time: someTime, kind: .text, data: .auto, firstSequence: 1,
            payload: [UInt8](repeating: 1, count: count), ends: Array(1...count))
        try SpillDirectory(path: path).files(of: uid).with { try $0.write([run]) }
    }

    private func leftovers() -> (SpillLeftovers, Counted) {
        let counted = Counted()
        let leftovers = SpillLeftovers(
            directory: SpillDirectory(path: path), logger: silent,
            count: { counted.add($0, $1) })
        return (leftovers, counted)
    }

    private var folders: Set<String> {
        Set(FileCalls.names(in: path)).subtracting([".", ".."])
    }

    @Test func aServerThatIsAloneClearsWhatNobodyDeclares() async throws {
        try spill(.sample("a"), "a", epoch: 1, 3)
        try spill(.sample("b"), "b", epoch: 1, 4)
        let (leftovers, counted) = leftovers()
        leftovers.clear(butOf: [.sample("a")])
        #expect(await eventually { counted.all == [.connectionDeleted: 4] })
        #expect(folders == [ConnectionUID.sample("a").rawValue])
    }

    @Test func aFileSaysWhoseItIs() throws {
        try spill(.sample("a"), "first", epoch: 3, 2)
        try spill(.sample("a"), "first", epoch: 5, 2)
        let holder = SpillDirectory(path: path).files(of: .sample("a")).with { $0.holder() }
        #expect(holder?.name == "first" && holder?.epoch == 5)
        let none = SpillDirectory(path: path).files(of: .sample("b")).with { $0.holder() }
        #expect(none == nil)
    }

    // MARK: In a cluster

    private func view(_ name: String, _ state: ClusterView.ShardState, epoch: UInt64) -> ClusterView
    {
        ClusterView(
            clusterID: nil, instance: "me", isMember: true, isDraining: false, fencedFor: nil,
            members: [],
            shards: (0..<Shards.count).map {
                .init(
                    number: $0, state: $0 == Shards.shard(of: name) ? state : .unowned,
                    owner: nil, epoch: epoch)
            }, moves: [], timing: .standard)
    }

    @Test func onlyWhatNobodyCanPublishAnyMoreIsDead() async throws {
        let store = try await TwoTierStore.opened(InMemoryStateStore())
        try await store.put("here")
        let uid = try #require(store.desired("here")?.uid)
        func fate(
            _ name: String, _ uid: ConnectionUID, _ state: ClusterView.ShardState, _ epoch: UInt64
        ) -> SpillLeftovers.Fate {
            SpillLeftovers.fate(
                of: .init(uid: uid, name: name, epoch: 7), store, view(name, state, epoch: epoch))
        }
        // Its own title may still be followed by one of this instance.
        for state in ClusterView.ShardState.allCases {
            #expect(fate("here", uid, state, 7) == .open, "\(state)")
        }
        for state in [ClusterView.ShardState.loading, .moving, .orphaned, .unowned] {
            #expect(fate("gone", .sample("x"), state, 8) == .open, "\(state)")
        }
        #expect(fate("here", uid, .serving, 8) == .taken)
        #expect(fate("here", .sample("x"), .serving, 8) == .dead(.connectionDeleted))
        #expect(fate("gone", .sample("x"), .serving, 8) == .dead(.connectionDeleted))
        #expect(fate("here", uid, .owned, 8) == .dead(.fenced))
    }

    @Test func theDeadAreDeletedOnceAndCounted() async throws {
        for (name, count) in [("a", 2), ("b", 3), ("c", 4)] {
            try spill(.sample(name), name, epoch: 7, count)
        }
        let (leftovers, counted) = leftovers()
        leftovers.judge { _ in .dead(.fenced) }
        #expect(counted.all.isEmpty, "nothing is judged before it was looked at")
        await leftovers.survey()
        leftovers.judge { $0.name == "a" ? .dead(.fenced) : .open }
        #expect(await eventually { counted.all == [.fenced: 2] })
        // Under its next title it has spilled again.
        try spill(.sample("b"), "b", epoch: 9, 1)
        leftovers.judge { $0.name == "b" ? .dead(.fenced) : .dead(.connectionDeleted) }
        #expect(await eventually { counted.all == [.fenced: 2, .connectionDeleted: 4] })
        #expect(folders == [ConnectionUID.sample("b").rawValue])
    }
}
