package import ManagerCore
import Synchronization

/// What decides whether the server is ready, by name: `GetServerStatus`, `/readyz`, `grpc.health.v1`
/// and `wsm_check_ok` are all read from here. Any thread may set a check and ask.
package final class ServerChecks: Sendable {
    package struct Check: Sendable, Hashable {
        package var name: String
        package var ok: Bool
        /// In CamelCase, stable.
        package var reason: String
        /// One sentence an operator can act on.
        package var message: String
        /// Readiness does not depend on it.
        package var advisory: Bool
        /// When ``ok`` last changed; `nil`: it has been so since the start.
        package var since: WallTime?
    }

    package struct Report: Sendable, Hashable {
        /// Every check passes but for advisory ones.
        package var ready: Bool
        /// Sorted by name.
        package var checks: [Check]
    }

    /// Where the server is in its life: the check `server`.
    package enum Stage: Sendable, Hashable {
        case starting, serving, stopping
    }

    private struct State {
        var checks: [String: Check] = [:]
        var nextListener: UInt64 = 0
        var listeners: [UInt64: AsyncStream<Report>.Continuation] = [:]
        var isClosed = false

        var report: Report {
            Report(
                ready: checks.values.allSatisfy { $0.ok || $0.advisory },
                checks: checks.values.sorted { $0.name < $1.name })
        }
    }

    private let state = Mutex(State())
    private let wallTime: @Sendable () -> WallTime

    /// Begins in ``Stage/starting``.
    package init(wallTime: @escaping @Sendable () -> WallTime) {
        self.wallTime = wallTime
        enter(.starting)
    }

    /// Makes a check, or says how it is now. The same again costs a comparison and tells nobody.
    package func set(
        _ name: String, ok: Bool, reason: String, message: String, advisory: Bool = false
    ) {
        change { state in
            let before = state.checks[name]
            var since = before?.since
            if let before, before.ok != ok { since = wallTime() }
            state.checks[name] = Check(
                name: name, ok: ok, reason: reason, message: message, advisory: advisory,
                since: since)
            return state.checks[name] != before
        }
    }

    /// The check is of no meaning any more.
    package func remove(_ name: String) {
        change { $0.checks.removeValue(forKey: name) != nil }
    }

    package func enter(_ stage: Stage) {
        switch stage {
        case .starting:
            set("server", ok: false, reason: "Starting", message: "the state is being read")
        case .serving:
            set("server", ok: true, reason: "Serving", message: "calls are answered")
        case .stopping:
            set(
                "server", ok: false, reason: "Stopping",
                message: "the orderly end has begun; use another instance")
        }
    }

    package var report: Report { state.withLock { $0.report } }

    /// The report as it is, then after every change; a reader that is slow sees the newest. Ends
    /// with ``close()``.
    package func reports() -> AsyncStream<Report> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Report.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state -> UInt64 in
            state.nextListener += 1
            continuation.yield(state.report)
            if state.isClosed {
                continuation.finish()
            } else {
                state.listeners[state.nextListener] = continuation
            }
            return state.nextListener
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.listeners.removeValue(forKey: id) }
        }
        return stream
    }

    package var listenerCount: Int { state.withLock { $0.listeners.count } }

    /// Ends every stream of reports: the process is going away.
    package func close() {
        let listeners = state.withLock { state in
            state.isClosed = true
            defer { state.listeners = [:] }
            return state.listeners
        }
        for listener in listeners.values { listener.finish() }
    }

    /// Told within the lock, so that two changes cannot reach a reader in the wrong order.
    private func change(_ body: (inout State) -> Bool) {
        state.withLock { state in
            guard body(&state) else { return }
            let report = state.report
            for listener in state.listeners.values { listener.yield(report) }
        }
    }
}
