package import Logging
package import ManagerCore
import NIOCore
import Synchronization
package import WebSocket

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The clocks, passed in so that tests hold them.
package struct ManagerClock: Sendable {
    package var now: @Sendable () -> Moment
    package var wallTime: @Sendable () -> WallTime

    package init(
        now: @escaping @Sendable () -> Moment,
        wallTime: @escaping @Sendable () -> WallTime
    ) {
        self.now = now
        self.wallTime = wallTime
    }

    package static let system = ManagerClock(
        now: { .now },
        wallTime: {
            let time = reading(of: CLOCK_REALTIME)
            return WallTime(
                nanosecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
        })

    fileprivate static func reading(of clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }
}

extension Moment {
    /// On the system's clock that counts suspend and never jumps.
    package static var now: Moment {
        let time = ManagerClock.reading(of: CLOCK_BOOTTIME)
        return Moment(.seconds(time.tv_sec) + .nanoseconds(time.tv_nsec))
    }
}

extension ManagerClock {
    /// For what the end of a process waits for, and nobody tells of.
    private static let look: Duration = .milliseconds(20)

    /// Looks again and again until it is so, or the time is up.
    func wait(within limit: Duration, until isSo: () -> Bool) async {
        let deadline = now().advanced(by: limit)
        while now() < deadline, !isSo() { try? await Task.sleep(for: Self.look) }
    }
}

/// What all managed connections of one process share: one object, so that each pays for a pointer.
package final class ConnectionEnvironment: Sendable {
    package let instanceID: String
    package let dialer: WebSocketDialer
    package let bus: any Bus
    package let secrets: SecretResolver
    /// `nil`: the server has no sidecar.
    package let daprSecrets: DaprSecrets?
    /// Whom connections may dial.
    package let egress: EgressPolicy
    package let buffers: SharedBufferBudget
    /// `nil`: nothing can be spilled, and policy `spill` is as `block`.
    package let spill: SpillDirectory?
    package let lifecycle: LifecyclePublisher
    package let clock: ManagerClock
    package let logger: Logger
    package let metrics: ManagerMetrics
    package let busHealth: BusHealth
    let rests: LoopRests
    /// The longest publish call that ownership allows for; a call that ends later is counted.
    package let publishLimit: Duration
    /// Where connections report what the cluster has to know of them.
    package let reports = ClusterRelay()
    /// Of the connections of the fleet, what a resync compares.
    let fleetFacts = FleetFacts()
    /// Wakes connections that may act again.
    package let gates = GateWatch()
    /// Told after every change a reader or the loop may care for; on any thread. What changes on an
    /// event loop is told of by ``changes``.
    package let onChange: @Sendable (_ names: [String]) -> Void
    let changes: ChangeNotes

    package init(
        instanceID: String, dialer: WebSocketDialer, bus: any Bus,
        secrets: SecretResolver, daprSecrets: DaprSecrets? = nil, egress: EgressPolicy,
        buffers: SharedBufferBudget, spill: SpillDirectory? = nil,
        lifecycle: LifecyclePublisher, clock: ManagerClock, logger: Logger,
        metrics: ManagerMetrics, busHealth: BusHealth, rests: LoopRests = .none,
        publishLimit: Duration = ClusterTiming.standard.publish,
        onChange: @escaping @Sendable ([String]) -> Void
    ) {
        self.metrics = metrics
        self.busHealth = busHealth
        self.rests = rests
        self.instanceID = instanceID
        self.dialer = dialer
        self.bus = bus
        self.secrets = secrets
        self.daprSecrets = daprSecrets
        self.egress = egress
        self.buffers = buffers
        self.spill = spill
        self.lifecycle = lifecycle
        self.clock = clock
        self.logger = logger
        self.publishLimit = publishLimit
        self.onChange = onChange
        changes = ChangeNotes(onChange)
    }
}

/// ``BufferBudget`` shared by the event loops: `--buffer-limit`.
package final class SharedBufferBudget: Sendable {
    let limit: Int
    private let state: Mutex<State>

    private struct State {
        var budget: BufferBudget
        var waiting: [@Sendable () -> Void] = []
    }

    package init(limit: Int) {
        self.limit = limit
        state = Mutex(State(budget: BufferBudget(limit: limit)))
    }

    package var used: Int { state.withLock { $0.budget.used } }

    func reserve(_ bytes: Int) -> BufferBudget.Reservation {
        state.withLock { $0.budget.reserve(bytes) }
    }

    /// Reserves, or remembers whom to tell when there is room again.
    func reserve(
        _ bytes: Int, orWake wake: @escaping @Sendable () -> Void
    ) -> BufferBudget.Reservation {
        state.withLock { state in
            let reservation = state.budget.reserve(bytes)
            if case .refused = reservation { state.waiting.append(wake) }
            return reservation
        }
    }

    func release(_ bytes: Int) {
        guard bytes > 0 else { return }
        let woken = state.withLock { state -> [@Sendable () -> Void] in
            guard state.budget.release(bytes) else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for wake in woken { wake() }
    }
}
