import ManagerAPI
import ManagerCore
import NIOCore
import NIOPosix
import Reconciler
import TestKit
import Testing

@testable import Manager

struct ServerChecksTests {
    private let checks = ServerChecks(wallTime: { someTime })

    private func check(_ name: String) -> ServerChecks.Check? {
        checks.report.checks.first { $0.name == name }
    }

    @Test func aServerThatStartsOrStopsIsNotReady() {
        #expect(!checks.report.ready)
        checks.enter(.serving)
        #expect(checks.report.ready)
        checks.enter(.stopping)
        #expect(!checks.report.ready && check("server")?.reason == "Stopping")
    }

    @Test func anAdvisoryCheckDoesNotCount() {
        checks.enter(.serving)
        checks.set("insecure", ok: false, reason: "Insecure", message: "m", advisory: true)
        #expect(checks.report.ready)
        checks.set("manifests", ok: false, reason: "Broken", message: "m")
        #expect(!checks.report.ready)
        checks.remove("manifests")
        #expect(checks.report.ready)
        #expect(checks.report.checks.map(\.name) == ["insecure", "server"])
    }

    @Test func sinceIsTheTimeOfTheLastChange() {
        checks.set("bus", ok: true, reason: "A", message: "m")
        #expect(check("bus")?.since == nil)
        checks.set("bus", ok: true, reason: "B", message: "m")
        #expect(check("bus")?.since == nil && check("bus")?.reason == "B")
        checks.set("bus", ok: false, reason: "C", message: "m")
        #expect(check("bus")?.since == someTime)
    }

    @Test func readersSeeThePresentAndThenEachChange() async {
        var reports = checks.reports().makeAsyncIterator()
        #expect(await reports.next()?.ready == false)
        checks.enter(.serving)
        #expect(await reports.next()?.ready == true)
        checks.enter(.serving)
        checks.enter(.stopping)
        #expect(await reports.next()?.ready == false)
        checks.close()
        #expect(await reports.next() == nil)
        #expect(checks.listenerCount == 0)
        var late = checks.reports().makeAsyncIterator()
        #expect(await late.next() != nil)
        #expect(await late.next() == nil)
    }
}

struct BusHealthTests {
    @Test func aFailureEndsWithARecoveryOrWhenNobodyRepeatsIt() {
        let clock = ManualClock()
        let health = BusHealth(now: { clock.now })
        #expect(health.present == nil)
        health.failed("no broker")
        #expect(health.present == "no broker")
        health.recovered()
        #expect(health.present == nil)
        health.failed("no broker")
        clock.advance(by: BusHealth.failureLasts)
        #expect(health.present == nil)
    }
}

struct ChecksMonitorTests {
    /// A monitor over a loop that nobody runs.
    private final class Rig: Sendable {
        let clock = ManualClock()
        let checks = ServerChecks(wallTime: { someTime })
        let bus: BusHealth
        let monitor: ChecksMonitor

        init(eventLoops: [any EventLoop] = []) {
            let clock = clock
            bus = BusHealth(now: { clock.now })
            let loop = ReconcileLoop(
                desired: FakeDesiredState(), control: RecordingControl(clock: clock),
                timer: ManualReconcileTimer(clock: clock),
                configuration: ReconcilerConfiguration(), logger: silent, now: { clock.now })
            monitor = ChecksMonitor(
                checks: checks, store: InMemoryStateStore(), bus: bus, loop: loop,
                resyncInterval: .seconds(30), eventLoops: eventLoops, now: { clock.now })
            checks.enter(.serving)
        }

        func reason(_ name: String) -> String? {
            checks.report.checks.first { $0.name == name }?.reason
        }
    }

    @Test func aLoopThatDoesNotTurnIsTold() async {
        let rig = Rig()
        await rig.monitor.look()
        #expect(rig.checks.report.ready && rig.reason("reconciler") == "Turning")
        rig.clock.advance(by: .seconds(121))
        await rig.monitor.look()
        #expect(!rig.checks.report.ready && rig.reason("reconciler") == "NotTurning")
    }

    @Test func anEventLoopThatHangsIsTold() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let rig = Rig(eventLoops: [group.next()])
        await rig.monitor.look()
        #expect(rig.reason("event-loops") == "Turning")
        // It turned for the look before; a loop that did not would still have the old time.
        try await group.next().submit {}.get()
        rig.clock.advance(by: .seconds(11))
        await rig.monitor.look()
        #expect(rig.reason("event-loops") == "NotTurning")
        try await group.next().submit {}.get()
        await rig.monitor.look()
        #expect(rig.reason("event-loops") == "Turning")
        try await group.shutdownGracefully()
    }

    @Test func theBusIsTold() async {
        let rig = Rig()
        rig.bus.failed("no broker")
        await rig.monitor.look()
        #expect(rig.reason("bus") == "Unavailable" && !rig.checks.report.ready)
        rig.bus.recovered()
        await rig.monitor.look()
        #expect(rig.reason("bus") == "Accepting" && rig.checks.report.ready)
    }

    @Test func aStoreThatFailedIsTriedUntilItTakesAWrite() async {
        let rig = Rig()
        ChecksMonitor.storeCommitted(
            TwoTierStore.NotCommitted(description: "disk full"), rig.checks)
        #expect(!rig.checks.report.ready && rig.reason("state-store") == "NotCommitted")
        await rig.monitor.look()
        #expect(rig.checks.report.ready && rig.reason("state-store") == "Writable")
        // Again, over the probe that is there already.
        ChecksMonitor.storeCommitted(
            TwoTierStore.NotCommitted(description: "disk full"), rig.checks)
        await rig.monitor.look()
        #expect(rig.reason("state-store") == "Writable")
    }
}

struct StoreProbeTests {
    @Test func membersHaveAKeyEach() {
        #expect(ChecksMonitor.probeKey(ofMember: nil) == "wsm/probe")
        let keys = ["a", "b", "a/b:1"].map { ChecksMonitor.probeKey(ofMember: $0) }
        #expect(keys == ["wsm/probe/a", "wsm/probe/b", "wsm/probe/a%2Fb%3A1"])
    }
}

struct GetServerStatusTests {
    @Test func tellsEveryCheckWhileTheServerRuns() async throws {
        let server = try await RunningServer.start()
        let status = try await server.orchestrator.getServerStatus(.init())
        #expect(status.ready)
        #expect(
            Set(status.checks.map(\.name))
                .isSuperset(of: ["server", "state-store", "bus", "reconciler", "event-loops"]))
        #expect(status.checks.allSatisfy { $0.ok && !$0.reason.isEmpty && !$0.message.isEmpty })
        await server.stop()
        #expect(!server.server.checks.report.ready)
    }
}
