import ManagerCore
import NIOCore
import Reconciler
import Spec
import Synchronization

/// Looks after the checks that nobody is told of: the loop, the event loops, the bus, and a state
/// store that has failed.
final class ChecksMonitor: Sendable {
    /// Between two looks. Probes ask every ten seconds or so.
    static let interval: Duration = .seconds(2)
    /// An event loop that has not run a task for so long hangs: what it may do at a stretch is
    /// far below a second.
    static let loopSilence: Duration = .seconds(10)
    /// A pass waits for one commit at most.
    static let passSilence: Duration = .seconds(60)
    /// What a failed store is tried with; nothing else reads or writes it. Members of a cluster
    /// have one each, so that none takes the other's write for a conflict of its own.
    static func probeKey(ofMember instanceID: String?) -> String {
        "wsm/probe" + (instanceID.map { "/" + InstanceDirectory.fileName($0) } ?? "")
    }

    private let checks: ServerChecks
    private let store: any StateStore
    private let bus: BusHealth
    private let statistics: @Sendable () -> ReconcileStatistics
    private let resyncInterval: Duration
    private let eventLoops: [any EventLoop]
    private let now: @Sendable () -> Moment
    /// When each event loop last ran a task of ours, and whether one is on its way.
    private let turns: Mutex<[Turn]>
    private let startedAt: Moment
    private let probeKey: String

    private struct Turn {
        var at: Moment
        var isAsked = false
    }

    /// - Parameter member: its id, if it shares the store.
    init(
        checks: ServerChecks, store: any StateStore, member: String? = nil, bus: BusHealth,
        loop: ReconcileLoop,
        resyncInterval: Duration, eventLoops: [any EventLoop],
        now: @escaping @Sendable () -> Moment
    ) {
        self.checks = checks
        self.store = store
        self.bus = bus
        statistics = { loop.statistics }
        self.resyncInterval = resyncInterval
        self.eventLoops = eventLoops
        self.now = now
        startedAt = now()
        probeKey = Self.probeKey(ofMember: member)
        let begin = Turn(at: startedAt)
        turns = Mutex(Array(repeating: begin, count: eventLoops.count))
        // The start itself has read the store and claimed it by writing.
        Self.storeCommitted(nil, checks)
    }

    /// Runs until cancelled.
    func run() async {
        while !Task.isCancelled {
            await look()
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// One look at everything.
    func look() async {
        lookAtBus()
        lookAtReconciler()
        lookAtEventLoops()
        await tryFailedStore()
    }

    // MARK: State store

    /// A commit ended.
    static func storeCommitted(_ failure: TwoTierStore.NotCommitted?, _ checks: ServerChecks) {
        checks.set(
            "state-store", ok: failure == nil,
            reason: failure == nil ? "Committed" : "NotCommitted",
            message: failure?.description ?? "the last change was committed")
    }

    /// Nobody may change anything while the server is not ready, so a store that works again is
    /// found by a write of our own.
    private func tryFailedStore() async {
        guard checks.report.checks.contains(where: { $0.name == "state-store" && !$0.ok }) else {
            return
        }
        do throws(StateStoreError) {
            await probe(over: try await store.get(probeKey))
        } catch {
            checks.set(
                "state-store", ok: false, reason: "NotReadable", message: error.description)
        }
    }

    private func probe(over entry: StateEntry?) async {
        let outcomes = await store.write([
            StateWrite(
                key: probeKey, value: Array("probe".utf8),
                condition: entry.map { .etag($0.etag) } ?? .absent)
        ])
        guard case .applied? = outcomes.first else { return }
        checks.set(
            "state-store", ok: true, reason: "Writable", message: "the store takes writes again")
    }

    // MARK: Bus and loops

    private func lookAtBus() {
        let failure = bus.present
        checks.set(
            "bus", ok: failure == nil, reason: failure == nil ? "Accepting" : "Unavailable",
            message: failure.map { "messages wait in their buffers: \($0)" }
                ?? "messages are accepted")
    }

    private func lookAtReconciler() {
        let seen = statistics()
        let now = now()
        let turned = (seen.lastTurn ?? startedAt).duration(to: now)
        let progressed = (seen.lastProgress ?? startedAt).duration(to: now)
        if turned > resyncInterval * 2 + Self.passSilence {
            checks.set(
                "reconciler", ok: false, reason: "NotTurning",
                message: "the loop has not looked for work for \(Self.seconds(turned))")
        } else if seen.processing > 0, progressed > Self.passSilence {
            checks.set(
                "reconciler", ok: false, reason: "Stuck",
                message: "\(seen.processing) passes have not ended for "
                    + "\(Self.seconds(progressed)); see the state store")
        } else {
            checks.set(
                "reconciler", ok: true, reason: "Turning", message: "the loop looks for work")
        }
    }

    private func lookAtEventLoops() {
        let now = now()
        var silent: [Int] = []
        for (index, eventLoop) in eventLoops.enumerated() {
            let isDue = turns.withLock { turns in
                if turns[index].at.duration(to: now) > Self.loopSilence { silent.append(index) }
                defer { turns[index].isAsked = true }
                return !turns[index].isAsked
            }
            guard isDue else { continue }
            eventLoop.execute { [weak self] in self?.turned(index) }
        }
        checks.set(
            "event-loops", ok: silent.isEmpty, reason: silent.isEmpty ? "Turning" : "NotTurning",
            message: silent.isEmpty
                ? "all \(eventLoops.count) turn"
                : "\(silent.count) of \(eventLoops.count) hang: restart the server")
    }

    private func turned(_ index: Int) {
        let now = now()
        turns.withLock { $0[index] = Turn(at: now) }
    }

    private static func seconds(_ duration: Duration) -> String {
        DurationText.format(.seconds(duration.components.seconds))
    }
}
