import ManagerCore
import Spec
import Synchronization
import TestKit
import Testing

@testable import Manager

/// The shell over a real directory, a store in memory and a clock that the test moves.
@Suite(.timeLimit(.minutes(1))) struct ManifestsDirectoryTests {
    private let directory: TemporaryDirectory
    private let clock = ManualClock()
    private let bus = RecordingBus()
    private let store: TwoTierStore
    private let memory = InMemoryStateStore()
    private let checks = Checks()
    private let manifests: ManifestsDirectory

    init() async throws {
        directory = try TemporaryDirectory()
        store = try await .opened(memory)
        manifests = Self.make(directory.path, store, bus, clock, checks)
    }

    private final class Checks: Sendable {
        private let seen = Mutex<[String]>([])
        var reasons: [String] { seen.withLock { $0 } }
        func add(_ check: ManifestsReport.Check) {
            seen.withLock { $0.append(check.reason) }
        }
    }

    private static func make(
        _ path: String, _ store: TwoTierStore, _ bus: RecordingBus, _ clock: ManualClock,
        _ checks: Checks
    ) -> ManifestsDirectory {
        ManifestsDirectory(
            .init(directory: path, set: "manifests", instanceID: "i"), store: store,
            lifecycle: LifecyclePublisher(bus: bus, epoch: 1),
            clock: clock.managerClock, logger: silent, onCheck: { checks.add($0) })
    }

    /// Looks as often as it takes to act on what is there, and once more.
    private func settle(_ looks: Int = 3) async {
        for _ in 0..<looks { clock.advance(by: await manifests.step()) }
    }

    private func topic(_ name: String) -> String? { store.desired(name)?.spec.topic }
    private var check: ManifestsReport.Check { manifests.report.check }

    private func events(_ count: Int) async throws -> [String] {
        try #require(await eventually { bus.accepted(on: LifecycleEvent.topic).count >= count })
        return bus.accepted(on: LifecycleEvent.topic).map {
            String($0.type.split(separator: ".").last ?? "") + " "
                + String(decoding: $0.payload, as: UTF8.self)
        }
    }

    // MARK: What is there is in force

    @Test func theDirectoryIsTheTruthForItsSet() async throws {
        try directory.write(connection("a"), to: "a.yaml")
        try directory.write(connection("b") + "---\n" + connection("c"), to: "sub/more.yml")
        #expect(check.reason == "Reading")
        await settle()
        #expect(store.names == ["a", "b", "c"])
        #expect(store.desired("a")?.keeper == .applySet("manifests"))
        #expect(
            check
                == .init(
                    isOK: true, reason: "Applied",
                    message: "3 objects of 2 files are in force, revision 1"))

        try directory.write(connection("a", topic: "edited"), to: "a.yaml")
        try directory.remove("sub/more.yml")
        try directory.write(connection("d"), to: "d.yaml")
        await settle()
        #expect(store.names == ["a", "d"])
        #expect(topic("a") == "edited")
        let report = manifests.report
        #expect(report.appliedTotal == 2 && report.refusedTotal == 0)
        #expect(report.lastAppliedAt != nil)
        #expect(report.revision == 2)
        #expect(store.applySet("manifests")?.history.last?.by == "manifests:\(directory.path)")

        let events = try await events(2)
        #expect(events[0].hasPrefix(#"applied {"set":"manifests","directory":"#))
        #expect(events[0].contains(#""created":3,"configured":0,"unchanged":0,"pruned":0"#))
        #expect(events[1].contains(#""created":1,"configured":1,"unchanged":0,"pruned":2"#))
        #expect(events[1].contains(#""revision":"2","problems":[]"#))
    }

    @Test func oneLookIsNotEnough() async throws {
        try directory.write(connection("a"), to: "a.yaml")
        #expect(await manifests.step() == DirectoryWatch.settle)
        #expect(store.names.isEmpty)
        clock.advance(by: DirectoryWatch.settle)
        #expect(await manifests.step() == DirectoryWatch.interval)
        #expect(store.names == ["a"])
    }

    @Test func allButOneFileMayGo() async throws {
        for number in 0..<40 {
            try directory.write(connection("c\(number)"), to: "\(number).yaml")
        }
        await settle()
        for number in 1..<40 { try directory.remove("\(number).yaml") }
        await settle()
        #expect(store.names == ["c0"])
    }

    @Test func anotherSpellingOfTheSameIsNotAppliedAgain() async throws {
        try directory.write(connection("a"), to: "a.yaml")
        await settle()
        let revision = store.applySet("manifests")?.revision
        try directory.write("# a comment\n" + connection("a"), to: "a.yaml")
        try directory.write("# another\n", to: "b.yaml")
        await settle()
        #expect(store.applySet("manifests")?.revision == revision)
        #expect(manifests.report.appliedTotal == 1)
        #expect(check.message == "1 objects of 2 files are in force, revision 1")
    }

    @Test func aNewProcessTakesOverWhatItFinds() async throws {
        try directory.write(connection("a"), to: "a.yaml")
        try directory.write(connection("b"), to: "b.yaml")
        await settle()
        try directory.remove("b.yaml")
        let second = Self.make(
            directory.path, try await .opened(memory), bus, clock, checks)
        for _ in 0..<3 { clock.advance(by: await second.step()) }
        #expect(second.report.check.isOK)
        #expect(try await TwoTierStore.opened(memory).names == ["a"])
    }

    // MARK: What is wrong changes nothing

    @Test func aBrokenFileChangesNothingAndItsRepairIsTaken() async throws {
        try directory.write(connection("a"), to: "a.yaml")
        try directory.write(connection("b"), to: "b.yaml")
        await settle()
        try directory.write(connection("a", topic: "new"), to: "a.yaml")
        try directory.write("kind: [\n", to: "b.yaml")
        await settle(6)
        #expect(topic("a") == "t", "not even the whole file is taken")
        #expect(store.names == ["a", "b"])
        #expect(!check.isOK && check.reason == "Invalid")
        #expect(check.message.hasPrefix("\(directory.path)/b.yaml:2:1:"))
        #expect(manifests.report.refusedTotal == 1)

        try directory.write(connection("b", topic: "repaired"), to: "b.yaml")
        await settle()
        #expect(topic("a") == "new" && topic("b") == "repaired")
        #expect(check.isOK)
        #expect(checks.reasons == ["Reading", "Applied", "Invalid", "Applied"])
        let events = try await events(3)
        #expect(events[1].hasPrefix("refused "))
        #expect(events[1].contains(#""reason":"Invalid","problem_count":1,"problems":[""#))
    }

    @Test func whatIsRepairedToTheStateBeforeIsToldThoughNothingChanges() async throws {
        try directory.write(connection("a"), to: "a.yaml")
        await settle()
        try directory.write("", to: "a.yaml")
        await settle()
        #expect(check.reason == "HalfWritten")
        #expect(store.names == ["a"])
        try directory.write(connection("a"), to: "a.yaml")
        await settle()
        #expect(check.isOK)
        #expect(store.applySet("manifests")?.revision == 1)
        let events = try await events(3)
        #expect(events[2].contains(#""created":0,"configured":0,"unchanged":1"#))
    }

    @Test func anEmptyDirectoryChangesNothing() async throws {
        try directory.write(connection("a"), to: "a.yaml")
        await settle()
        try directory.remove("a.yaml")
        await settle(6)
        #expect(store.names == ["a"])
        #expect(check.reason == "Empty")
        try directory.write(connection("b"), to: "b.yaml")
        await settle()
        #expect(store.names == ["b"])
    }

    @Test func aDirectoryThatIsNotThereChangesNothingAndIsWaitedFor() async throws {
        let late = Self.make("\(directory.path)/late", store, bus, clock, checks)
        for _ in 0..<3 { clock.advance(by: await late.step()) }
        #expect(late.report.check.reason == "Unreadable")
        #expect(late.report.check.message == "\(directory.path)/late: No such file or directory")
        // Trying again later is no news.
        for _ in 0..<60 { clock.advance(by: await late.step()) }
        #expect(late.report.refusedTotal == 1)
        try directory.write(connection("a"), to: "late/a.yaml")
        for _ in 0..<3 { clock.advance(by: await late.step()) }
        #expect(store.names == ["a"])
    }

    @Test func aLastLineWithoutItsEndWaitsForItsRest() async throws {
        let text = connection("a", topic: "whole")
        let cut = try #require(text.firstRange(of: "whole"))
        try directory.write(text[..<cut.lowerBound] + "wh", to: "a.yaml")
        await settle(6)
        #expect(store.names.isEmpty)
        try directory.write(text, to: "a.yaml")
        await settle()
        #expect(topic("a") == "whole")
        // One that stays so is believed in the end, and then beside other changes at once.
        let other = connection("b", topic: "end").split(separator: "end")
        try directory.write(other[0] + "end", to: "b.yaml")
        await settle(16)
        #expect(store.names == ["a", "b"])
        try directory.write(connection("c"), to: "c.yaml")
        await settle()
        #expect(store.names == ["a", "b", "c"])
    }

    // MARK: Others

    @Test func anObjectOfAnotherSetIsReportedAndTheRestIsApplied() async throws {
        try await put("mine", keeper: .applySet("other"))
        try directory.write(connection("mine"), to: "a.yaml")
        try directory.write(connection("free"), to: "b.yaml")
        await settle()
        #expect(store.names == ["free", "mine"])
        #expect(store.desired("mine")?.keeper == .applySet("other"))
        #expect(!check.isOK && check.reason == "Conflicts")
        #expect(check.message.contains("Connection mine: it belongs to set other"))
        // When it is given up by the other set it is taken without an edit here.
        try await store.remove("mine")
        await settle(25)
        #expect(store.desired("mine")?.keeper == .applySet("manifests"))
        #expect(check.isOK)
        #expect(manifests.report.appliedTotal == 2)
    }

    @Test func whatSomebodyElseDidToTheSetIsPutRight() async throws {
        try directory.write(connection("a"), to: "a.yaml")
        try directory.write(connection("b"), to: "b.yaml")
        await settle()
        try await store.transact { draft in
            draft.removeConnection("a")
            var set = try #require(draft.applySet("manifests"))
            set.connections.remove("a")
            draft.put(set)
        }
        await settle()
        #expect(store.names == ["a", "b"])
    }

    @Test func aReloadReadsAndAppliesThoughNothingChanged() async throws {
        try directory.write(connection("a"), to: "a.yaml")
        await settle()
        try await store.remove("a")
        await settle(6)
        #expect(store.names.isEmpty, "the mark of the set is as it was")
        manifests.reload()
        #expect(await manifests.step() == DirectoryWatch.settleWhenAsked)
        clock.advance(by: DirectoryWatch.settleWhenAsked)
        await settle(1)
        #expect(store.names == ["a"])
    }

    @Test func aStoreThatFailsIsTriedAgain() async throws {
        memory.isDown = true
        try directory.write(connection("a"), to: "a.yaml")
        await settle()
        #expect(check.reason == "NotCommitted")
        memory.isDown = false
        await settle(25)
        #expect(store.names == ["a"])
        #expect(check.isOK)
    }

    private func put(_ name: String, keeper: Keeper) async throws {
        try await store.transact { draft in
            draft.put(
                ConnectionRecord(epoch: 0, desired: .sample(name, keeper: keeper)))
        }
    }
}
