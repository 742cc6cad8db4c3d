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
    package var now: @Sendable () -> ContinuousClock.Instant
    package var wallTime: @Sendable () -> WallTime

    package init(
        now: @escaping @Sendable () -> ContinuousClock.Instant,
        wallTime: @escaping @Sendable () -> WallTime
    ) {
        self.now = now
        self.wallTime = wallTime
    }

    package static let system = ManagerClock(
        now: { .now },
        wallTime: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return WallTime(
                nanosecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
        })
}

/// What all managed connections of one process share.
package struct ConnectionEnvironment: Sendable {
    package var instanceID: String
    package var dialer: WebSocketDialer
    package var bus: any Bus
    package var secrets: SecretResolver
    /// `nil`: the server has no sidecar.
    package var daprSecrets: DaprSecrets?
    /// Whom connections may dial.
    package var egress: EgressPolicy
    package var buffers: SharedBufferBudget
    /// `nil`: nothing can be spilled, and policy `spill` is as `block`.
    package var spill: SpillDirectory?
    package var lifecycle: LifecyclePublisher
    package var clock: ManagerClock
    package var logger: Logger
    package var metrics: ManagerMetrics
    package var busHealth: BusHealth
    /// The longest publish call that ownership allows for; a call that ends later is counted.
    package var publishLimit = ClusterTiming.standard.publish
    /// Where connections report what the cluster has to know of them.
    package let reports = ClusterRelay()
    /// Wakes connections that may act again.
    package let gates = GateWatch()
    /// Told after every change a reader or the loop may care for; on any thread.
    package var onChange: @Sendable (_ name: String) -> Void

    package init(
        instanceID: String, dialer: WebSocketDialer, bus: any Bus,
        secrets: SecretResolver, egress: EgressPolicy, buffers: SharedBufferBudget,
        lifecycle: LifecyclePublisher, clock: ManagerClock, logger: Logger,
        metrics: ManagerMetrics, busHealth: BusHealth,
        onChange: @escaping @Sendable (String) -> Void
    ) {
        self.metrics = metrics
        self.busHealth = busHealth
        self.instanceID = instanceID
        self.dialer = dialer
        self.bus = bus
        self.secrets = secrets
        self.egress = egress
        self.buffers = buffers
        self.lifecycle = lifecycle
        self.clock = clock
        self.logger = logger
        self.onChange = onChange
    }
}

/// ``BufferBudget`` shared by the event loops: `--buffer-limit`.
package final class SharedBufferBudget: Sendable {
    private let state: Mutex<State>

    private struct State {
        var budget: BufferBudget
        var waiting: [@Sendable () -> Void] = []
    }

    package init(limit: Int) {
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
