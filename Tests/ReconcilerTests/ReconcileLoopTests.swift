import Logging
import ManagerCore
import Reconciler
import Spec
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct ReconcileLoopTests {
    /// A loop over doubles, run for the length of a test.
    private struct Rig {
        let clock = ManualClock()
        let desired: FakeDesiredState
        let control: RecordingControl
        let timer: ManualReconcileTimer
        let loop: ReconcileLoop

        init(
            _ records: [DesiredConnection] = [],
            configure: (inout ReconcilerConfiguration) -> Void = { _ in }
        ) {
            desired = FakeDesiredState(records)
            control = RecordingControl(clock: clock)
            timer = ManualReconcileTimer(clock: clock)
            var configuration = ReconcilerConfiguration()
            configure(&configuration)
            loop = ReconcileLoop(
                desired, clock, control: control, timer: timer, configuration: configuration)
            control.onChange { [loop] in loop.connectionChanged($0) }
        }

        func run(_ body: () async throws -> Void) async rethrows {
            let running = Task { [loop] in await loop.run() }
            do {
                try await body()
            } catch {
                running.cancel()
                throw error
            }
            running.cancel()
            await running.value
        }

        /// A record changed, as the store tells.
        func tell(_ name: String) async { await loop.reconciled(name) }

        /// Past the jittered resync.
        func resync() { timer.advance(by: .seconds(37)) }
    }

    private func records(_ count: Int) -> [DesiredConnection] {
        (0..<count).map { .sample("c\($0)") }
    }

    // MARK: Converging

    @Test func everyRecordIsDialledOnceAtStart() async {
        let rig = Rig(records(50))
        await rig.run {
            #expect(await eventually { rig.control.openNames.count == 50 })
            for name in rig.desired.desiredNames() { await rig.tell(name) }
            #expect(rig.control.calls.count == 50)
            #expect(rig.control.violations.isEmpty)
        }
    }

    @Test func anUnchangedWorldIsComparedAndNothingIsQueued() async {
        let rig = Rig(records(20))
        await rig.run {
            #expect(await eventually { rig.control.openNames.count == 20 })
            for name in rig.desired.desiredNames() { await rig.tell(name) }
            let adds = rig.loop.statistics.adds
            for _ in 0..<5 {
                let before = rig.loop.passes
                rig.resync()
                #expect(await eventually { rig.loop.passes >= before + 20 })
            }
            #expect(rig.loop.statistics.adds == adds)
            #expect(rig.control.calls.count == 20)
        }
    }

    @Test func anEditIsUpdatedInPlaceOrReopenedByItsEffect() async {
        let rig = Rig(records(1))
        await rig.run {
            await rig.tell("c0")
            rig.desired.edit("c0") { $0.spec.topic = "trades" }
            await rig.tell("c0")
            #expect(
                rig.control.calls
                    == [.open("c0", generation: 1), .update("c0", generation: 2)])
            rig.desired.edit("c0") { $0.spec.subprotocols = ["v1"] }
            await rig.tell("c0")
            #expect(await eventually { rig.control.dials(of: "c0") == 2 })
            #expect(
                rig.control.calls.suffix(2)
                    == [.reopen("c0", .edited), .open("c0", generation: 3)])
            #expect(rig.control.violations.isEmpty)
        }
    }

    @Test func aNameUsedAgainIsAnotherConnection() async {
        let rig = Rig([.sample("a", uid: "first")])
        await rig.run {
            await rig.tell("a")
            rig.desired.put(.sample("a", uid: "second"))
            await rig.tell("a")
            #expect(
                await eventually {
                    rig.control.observe("a")?.uid == .sample("second")
                        && rig.control.openNames == ["a"]
                })
            #expect(
                rig.control.calls
                    == [
                        .open("a", generation: 1), .reopen("a", .replaced), .release("a"),
                        .open("a", generation: 1),
                    ])
            #expect(rig.control.violations.isEmpty)
        }
    }

    // MARK: Drift, with every event lost

    @Test func aResyncRepairsEveryKindOfDrift() async {
        let rig = Rig(records(3))
        await rig.run {
            #expect(await eventually { rig.control.openNames.count == 3 })
            rig.control.isMuted = true
            rig.control.plant(.sample("orphan"))
            rig.desired.put(.sample("new"))
            rig.desired.edit("c0") { $0.spec.subprotocols = ["v1"] }
            rig.desired.remove("c1")
            rig.control.socketCloses("c2")
            // Level-triggered: each pass mends one step, and only the resync makes passes here.
            #expect(
                await eventually {
                    rig.resync()
                    return rig.control.openNames == ["c0", "c2", "new"]
                        && rig.control.observedNames().count == 3
                        && rig.control.observe("c0")?.dialRevision == 2
                })
            #expect(rig.control.violations.isEmpty)
            #expect(rig.control.calls(of: "orphan").contains(.close("orphan")))
        }
    }

    @Test func aResyncGivesBackThePermitOfADialWhoseEndWasNotTold() async {
        let rig = Rig([.sample("a")]) { $0.dialConcurrency = 1 }
        rig.control.opensAtOnce = false
        await rig.run {
            #expect(await eventually { rig.control.dialingNames == ["a"] })
            rig.desired.put(.sample("b"))
            await rig.tell("b")
            rig.control.isMuted = true
            rig.control.dialOpens("a")
            await rig.tell("b")
            #expect(rig.control.dialingNames.isEmpty, "a is as it should be, and b must wait")
            rig.resync()
            #expect(await eventually { rig.control.dialingNames == ["b"] })
        }
    }

    @Test func aResyncSetsTheAlarmOfABackoffThatWasNotTold() async throws {
        let rig = Rig([.sample("a") { $0.reconnect.base = .seconds(4) }])
        rig.control.opensAtOnce = false
        try await rig.run {
            #expect(await eventually { rig.control.dialingNames == ["a"] })
            await rig.tell("a")
            let resyncAt = try #require(rig.timer.nextAlarm)
            rig.clock.advance(to: resyncAt.advanced(by: .milliseconds(-1)))
            rig.control.isMuted = true
            rig.control.dialFails("a")
            guard case .down(let down)? = rig.control.observe("a")?.state else {
                Issue.record("the dial has not failed")
                return
            }
            try #require(
                down.nextAttemptAt > resyncAt && down.nextAttemptAt < resyncAt + .seconds(24))
            rig.timer.advance(by: .milliseconds(1))
            #expect(await eventually { rig.timer.nextAlarm == down.nextAttemptAt })
            rig.timer.advance(by: rig.clock.now.duration(to: down.nextAttemptAt))
            #expect(await eventually { rig.control.dials(of: "a") == 2 })
        }
    }

    @Test func theResyncIsJitteredAroundItsInterval() async {
        let rig = Rig()
        await rig.run {
            #expect(await eventually { rig.timer.nextAlarm != nil })
            var waits: [Duration] = []
            for _ in 0..<12 {
                guard let alarm = rig.timer.nextAlarm else { break }
                let wait = rig.clock.now.duration(to: alarm)
                waits.append(wait)
                rig.timer.advance(by: wait)
                #expect(
                    await eventually { rig.timer.nextAlarm.map { $0 > rig.clock.now } ?? false })
            }
            #expect(waits.count == 12)
            #expect(waits.allSatisfy { $0 >= .seconds(24) && $0 <= .seconds(36) }, "\(waits)")
            #expect(Set(waits).count > 6, "no two instances march in step")
        }
    }

    // MARK: Back-off

    @Test func aFailedDialIsRepeatedWhenItsBackoffEndsAndNotBefore() async {
        let rig = Rig(records(1))
        rig.control.opensAtOnce = false
        await rig.run {
            #expect(await eventually { rig.control.dialingNames == ["c0"] })
            for dials in 1...6 {
                #expect(rig.control.dials(of: "c0") == dials)
                rig.control.dialFails("c0")
                await rig.tell("c0")
                guard case .down(let down)? = rig.control.observe("c0")?.state else {
                    Issue.record("not down")
                    return
                }
                let wait = rig.clock.now.duration(to: down.nextAttemptAt)
                #expect(wait >= .seconds(1))
                rig.timer.advance(by: wait - .milliseconds(1))
                await rig.tell("c0")
                #expect(rig.control.dials(of: "c0") == dials, "it was dialled before its time")
                rig.timer.advance(by: .milliseconds(1))
                #expect(await eventually { rig.control.dials(of: "c0") == dials + 1 })
            }
        }
    }

    @Test func aStoreThatRefusesIsAskedAgainWithABackoff() async {
        let rig = Rig([.sample("a") { $0.autoReconnect = false }])
        rig.desired.refusesWrites = true
        await rig.run {
            await rig.tell("a")
            rig.timer.advance(by: .seconds(1))
            await rig.tell("a")
            #expect(rig.control.calls.isEmpty, "what could not be committed may not be dialled")
            rig.desired.refusesWrites = false
            #expect(
                await eventually {
                    rig.timer.advance(by: .seconds(1))
                    return rig.control.openNames == ["a"]
                })
            #expect(rig.control.dials(of: "a") == 1)
        }
    }

    // MARK: One dial

    @Test func withoutAutoReconnectTheOneDialIsSpentBeforeItBegins() async {
        let rig = Rig([.sample("a") { $0.autoReconnect = false }])
        rig.control.opensAtOnce = false
        await rig.run {
            #expect(await eventually { rig.control.dialingNames == ["a"] })
            #expect(rig.desired.spent == ["a"])
            rig.control.dialFails("a")
            await rig.tell("a")
            for _ in 0..<5 {
                rig.resync()
                await rig.tell("a")
            }
            #expect(rig.control.dials(of: "a") == 1)
            rig.desired.edit("a") { $0.spec.topic = "trades" }
            await rig.tell("a")
            #expect(rig.control.dials(of: "a") == 1, "an edit that needs no socket gives none")
            rig.desired.edit("a") { $0.spec.url = "ws://127.0.0.1:10/" }
            await rig.tell("a")
            #expect(rig.control.dials(of: "a") == 2)
            #expect(rig.desired.spent == ["a", "a"])
        }
    }

    @Test func aSpentDialIsNotRepeatedByANewProcess() async {
        var record = DesiredConnection.sample("a") { $0.autoReconnect = false }
        record.spentDialRevision = 1
        let rig = Rig([record])
        await rig.run {
            await rig.tell("a")
            rig.resync()
            await rig.tell("a")
            #expect(rig.control.calls.isEmpty)
        }
    }

    // MARK: Removal

    @Test func nothingIsDialledAfterARemovalDuringTheBackoff() async {
        let rig = Rig(records(1))
        rig.control.opensAtOnce = false
        await rig.run {
            #expect(await eventually { rig.control.dialingNames == ["c0"] })
            rig.control.dialFails("c0")
            await rig.tell("c0")
            rig.desired.remove("c0")
            await rig.tell("c0")
            #expect(rig.control.observe("c0") == nil)
            for _ in 0..<5 {
                rig.resync()
                await rig.tell("c0")
            }
            #expect(rig.control.dials(of: "c0") == 1)
        }
    }

    @Test func aRemovalDuringADialClosesItAndNothingFollows() async {
        let rig = Rig(records(1))
        rig.control.opensAtOnce = false
        rig.control.closesAtOnce = false
        await rig.run {
            #expect(await eventually { rig.control.dialingNames == ["c0"] })
            rig.desired.remove("c0")
            await rig.tell("c0")
            #expect(rig.control.calls.last == .close("c0"))
            rig.control.dialOpens("c0")
            await rig.tell("c0")
            #expect(await eventually { rig.control.observe("c0") == nil })
            rig.resync()
            await rig.tell("c0")
            #expect(rig.control.dials(of: "c0") == 1)
            #expect(rig.control.violations.isEmpty)
        }
    }

    // MARK: Unanswered Connects

    @Test func anUnansweredConnectIsConfirmedWhenOpenAndDiscardedWhenNot() async {
        var record = DesiredConnection.sample("a", keeper: .grpc)
        record.isProvisional = true
        let rig = Rig([record, .sample("b")])
        var failing = record
        failing.name = "x"
        failing.uid = .sample("x")
        rig.desired.put(failing)
        rig.control.opensAtOnce = false
        await rig.run {
            #expect(await eventually { rig.control.dialingNames == ["a", "b", "x"] })
            rig.control.dialOpens("a")
            rig.control.dialFails("x")
            #expect(await eventually { rig.desired.confirmed == ["a"] })
            #expect(await eventually { rig.desired.discarded == ["x"] })
            await rig.tell("x")
            await rig.tell("x")
            #expect(rig.control.observe("x") == nil)
            #expect(rig.desired.desired("a")?.isProvisional == false)
            #expect(rig.control.dials(of: "x") == 1)
        }
    }

    // MARK: Workers

    @Test func aKeyIsNeverWorkedOnTwiceAtOnce() async {
        let watched = WatchedDesiredState(names: (0..<8).map { "c\($0)" })
        let clock = ManualClock()
        let loop = ReconcileLoop(watched, clock)
        let running = Task { await loop.run() }
        for _ in 0..<200 {
            loop.connectionsChanged((0..<8).map { "c\($0)" })
            await Task.yield()
        }
        for name in watched.names { await loop.reconciled(name) }
        running.cancel()
        await running.value
        #expect(watched.mostAtOnce == 1)
        #expect(watched.spends > 0)
    }

    @Test func theLoopSleepsWhileEveryWorkerWaitsForTheStore() async {
        let clock = ManualClock()
        let timer = ManualReconcileTimer(clock: clock)
        let desired = HeldDesiredState(names: ["a", "b"])
        var configuration = ReconcilerConfiguration()
        configuration.concurrency = 1
        let loop = ReconcileLoop(
            desired, clock, timer: timer, configuration: configuration)
        let running = Task { await loop.run() }
        #expect(await eventually { desired.isHolding })
        // The other key is due too, and there is nobody to work on it.
        for _ in 0..<5 {
            loop.connectionsChanged(["a", "b"])
            timer.advance(by: .seconds(40))
        }
        let before = timer.rings
        #expect(await always(for: .milliseconds(100)) { timer.rings <= before + 5 })
        desired.release()
        await loop.reconciled("b")
        running.cancel()
        await running.value
    }

    @Test func aKeyThatWaitsForTheStoreHoldsUpNoOther() async {
        let clock = ManualClock()
        let desired = HeldDesiredState(names: ["once"])
        let loop = ReconcileLoop(desired, clock)
        let running = Task { await loop.run() }
        #expect(await eventually { desired.isHolding })
        for name in ["a", "b", "a"] { await loop.reconciled(name) }
        #expect(desired.isHolding)
        #expect(loop.statistics.processing == 1)
        desired.release()
        await loop.reconciled("once")
        running.cancel()
        await running.value
    }

    @Test func aPausedLoopBeginsNothing() async {
        let rig = Rig()
        await rig.run {
            #expect(await eventually { rig.timer.nextAlarm != nil })
            rig.loop.pause()
            rig.desired.put(.sample("a"))
            await rig.tell("a")
            rig.resync()
            await rig.tell("a")
            #expect(rig.control.calls.isEmpty)
        }
    }

    // MARK: Permits

    @Test func aDialThatIsCalledOffGivesItsPermitToTheNext() async {
        let rig = Rig([.sample("a")]) { $0.dialConcurrency = 1 }
        rig.control.opensAtOnce = false
        await rig.run {
            #expect(await eventually { rig.control.dialingNames == ["a"] })
            rig.desired.put(.sample("b"))
            rig.desired.put(.sample("c"))
            await rig.tell("b")
            await rig.tell("c")
            #expect(rig.control.dialingNames == ["a"])
            rig.desired.remove("b")
            await rig.tell("b")
            rig.desired.remove("a")
            await rig.tell("a")
            #expect(await eventually { rig.control.dialingNames == ["c"] })
            #expect(rig.control.dials(of: "b") == 0, "it left while it waited")
            #expect(rig.control.mostDialing == 1)
        }
    }

    @Test func aReopenDuringADialKeepsToTheConcurrency() async {
        let rig = Rig(records(3)) { $0.dialConcurrency = 1 }
        rig.control.opensAtOnce = false
        await rig.run {
            #expect(await eventually { rig.control.dialingNames.count == 1 })
            for round in 0..<5 {
                for name in rig.desired.desiredNames() {
                    rig.desired.edit(name) { $0.spec.subprotocols = ["v\(round)"] }
                    await rig.tell(name)
                }
            }
            for _ in 0..<3 {
                #expect(await eventually { rig.control.dialingNames.count == 1 })
                rig.control.dialOpens(rig.control.dialingNames[0])
            }
            #expect(await eventually { rig.control.openNames.count == 3 })
            #expect(rig.control.mostDialing == 1)
            #expect(rig.control.violations.isEmpty)
        }
    }

    // MARK: A thousand connections to one host

    @Test func aThousandDialsToOneHostKeepTheRateTheBurstAndTheConcurrency() async {
        let rig = Rig(records(1_000)) {
            $0.dialRate = 100
            $0.dialBurst = 50
            $0.dialConcurrency = 20
        }
        rig.control.opensAtOnce = false
        let start = rig.clock.now
        await rig.run {
            var opened = 0
            while opened < 1_000 {
                let due = await dialsUnderWay(rig)
                for name in due { rig.control.dialOpens(name) }
                for name in due { await rig.tell(name) }
                opened += due.count
                let seconds = start.duration(to: rig.clock.now) / .seconds(1)
                #expect(Double(opened) <= 50 + 100 * seconds + 20)
                if due.isEmpty { rig.timer.advance(by: .milliseconds(100)) }
                guard seconds < 60 else {
                    Issue.record("\(opened) of 1000 are open after \(seconds) s")
                    return
                }
            }
            let seconds = start.duration(to: rig.clock.now) / .seconds(1)
            #expect(rig.control.mostDialing <= 20)
            #expect(seconds >= 9.4, "1000 dials in \(seconds) s are over 50 + 100 a second")
            #expect(seconds <= 30, "1000 dials took \(seconds) s")
            #expect(rig.control.openNames.count == 1_000)
            #expect(rig.control.calls.count == 1_000, "each was dialled once")
        }
    }

    /// The dials under way once the loop seems quiet; too early a look costs the test's clock a
    /// tenth of a second and nothing else.
    private func dialsUnderWay(_ rig: Rig) async -> [String] {
        var before: [String]?
        var names: [String] = []
        while names != before {
            before = names
            for _ in 0..<3 { await rig.tell("nobody") }
            names = rig.control.dialingNames
        }
        return names
    }
}

extension ReconcileLoopTests {
    /// Whoever looked in between took it for one that had failed.
    @Test func aDialThatIsBeingSpentIsSeenAsDialling() async throws {
        let desired = HeldDesiredState(names: ["once"])
        let clock = ManualClock()
        let control = RecordingControl(clock: clock)
        let loop = ReconcileLoop(desired, clock, control: control)
        let running = Task { await loop.run() }
        while !desired.isHolding { await Task.yield() }
        let spent = DesiredConnection.sample("once") {
            $0.autoReconnect = false
        }
        let seen = try #require(control.observe("once"))
        #expect(ConnectionStatus.phase(desired: spent, observed: seen) == .connecting)
        desired.release()
        while control.observe("once") != nil { await Task.yield() }
        running.cancel()
        await running.value
    }
}

/// Counts how many passes over one key are inside `spendDial` at one time.
private final class WatchedDesiredState: DesiredState {
    private struct State {
        var inside: [String: Int] = [:]
        var mostAtOnce = 0
        var spends = 0
    }

    let names: [String]
    private let state = Mutex(State())

    init(names: [String]) {
        self.names = names
    }

    var mostAtOnce: Int { state.withLock { $0.mostAtOnce } }
    var spends: Int { state.withLock { $0.spends } }

    func desired(_ name: String) -> DesiredConnection? {
        names.contains(name) ? .sample(name) { $0.autoReconnect = false } : nil
    }

    func desiredTable() -> DesiredTable {
        DesiredTable(
            names.map { name in
                (name, DesiredFacts(.sample(name) { $0.autoReconnect = false }))
            })
    }

    /// Never commits, so that every pass comes here again.
    func spendDial(_ name: String) async -> DesiredConnection? {
        state.withLock { state in
            state.spends += 1
            state.inside[name, default: 0] += 1
            state.mostAtOnce = max(state.mostAtOnce, state.inside[name, default: 0])
        }
        for _ in 0..<10 { await Task.yield() }
        state.withLock { $0.inside[name, default: 1] -= 1 }
        return nil
    }

    func confirm(_ name: String) async -> Bool { false }
    func discard(_ name: String) async -> Bool { false }
}

/// Holds every `spendDial` until it is released; then it fails.
private final class HeldDesiredState: DesiredState {
    private struct State {
        var isReleased = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let names: [String]
    private let state = Mutex(State())

    init(names: [String]) {
        self.names = names
    }

    var isHolding: Bool { state.withLock { !$0.waiting.isEmpty } }

    func release() {
        let waiting = state.withLock { state in
            state.isReleased = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func desired(_ name: String) -> DesiredConnection? {
        names.contains(name) ? .sample(name) { $0.autoReconnect = false } : nil
    }

    func desiredTable() -> DesiredTable {
        DesiredTable(
            names.map { name in
                (name, DesiredFacts(.sample(name) { $0.autoReconnect = false }))
            })
    }

    func spendDial(_ name: String) async -> DesiredConnection? {
        await withCheckedContinuation { continuation in
            let isReleased = state.withLock { state in
                if !state.isReleased { state.waiting.append(continuation) }
                return state.isReleased
            }
            if isReleased { continuation.resume() }
        }
        return nil
    }

    func confirm(_ name: String) async -> Bool { false }
    func discard(_ name: String) async -> Bool { false }
}

extension ReconcileLoop {
    /// By the clock of a test; it logs nothing.
    fileprivate convenience init(
        _ desired: any DesiredState, _ clock: ManualClock, control: RecordingControl? = nil,
        timer: ManualReconcileTimer? = nil,
        configuration: ReconcilerConfiguration = ReconcilerConfiguration()
    ) {
        self.init(
            desired: desired, control: control ?? RecordingControl(clock: clock),
            timer: timer ?? ManualReconcileTimer(clock: clock), configuration: configuration,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            now: { clock.now })
    }
}
