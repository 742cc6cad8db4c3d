package import ManagerCore
package import NIOCore
package import Reconciler
import Spec
import Synchronization

/// Every managed connection of this instance: what the reconcile loop acts on, and where the API
/// finds the one it wants.
package final class ConnectionFleet: ConnectionControl {
    /// Buffered messages of a deleted connection may still be published for so long.
    static let drainAfterRelease: TimeAmount = .seconds(5)

    private let environment: ConnectionEnvironment
    private let group: any EventLoopGroup
    private let stored: @Sendable (_ name: String) -> StoredStatus?
    private let state = Mutex(State())

    private struct State {
        var connections: [String: ManagedConnection] = [:]
        /// Released, but with messages still to publish.
        var draining: [ObjectIdentifier: ManagedConnection] = [:]
        /// Of those that are gone: counters never fall.
        var retired = FleetTotals()
        /// The process ends: nothing is dialled any more, whatever was decided before.
        var isShuttingDown = false
        /// Whose last failure is kept, and the failures of those that are gone already.
        var awaited: Set<String> = []
        var lastFailures: [String: LinkFailure] = [:]
    }

    /// - Parameter stored: the status the record was last written with.
    package init(
        environment: ConnectionEnvironment, group: any EventLoopGroup,
        stored: @escaping @Sendable (String) -> StoredStatus?
    ) {
        self.environment = environment
        self.group = group
        self.stored = stored
    }

    package func connection(_ name: String) -> ManagedConnection? {
        state.withLock { $0.connections[name] }
    }

    package var all: [ManagedConnection] { state.withLock { Array($0.connections.values) } }

    /// Keeps what ended this connection until ``forgetFailure(of:)``: a Connect whose dial fails
    /// loses its record, and then its entry here, before its caller may have looked.
    package func keepFailure(of name: String) {
        _ = state.withLock { $0.awaited.insert(name) }
    }

    package func forgetFailure(of name: String) {
        state.withLock { state in
            state.awaited.remove(name)
            state.lastFailures[name] = nil
        }
    }

    /// The last failure of a connection that is there, or is kept.
    package func lastFailure(of name: String) -> LinkFailure? {
        observe(name)?.lastFailure ?? state.withLock { $0.lastFailures[name] }
    }

    // MARK: ConnectionControl

    package func observe(_ name: String) -> ObservedConnection? {
        connection(name)?.observed
    }

    package func observedNames() -> [String] {
        state.withLock { Array($0.connections.keys) }
    }

    package func open(_ desired: DesiredConnection) {
        let connection = state.withLock { state -> ManagedConnection? in
            if state.isShuttingDown { return nil }
            if let present = state.connections[desired.name] { return present }
            let made = ManagedConnection(
                desired, eventLoop: group.next(), environment: environment,
                stored: stored(desired.name))
            state.connections[desired.name] = made
            return made
        }
        connection?.open(desired)
    }

    package func reopen(_ desired: DesiredConnection, cause: PlanStep.ReopenReason) {
        switch cause {
        case .edited: connection(desired.name)?.reopen(desired)
        case .replaced: connection(desired.name)?.close()
        }
    }

    package func update(_ desired: DesiredConnection) {
        connection(desired.name)?.update(desired)
    }

    package func close(_ name: String) {
        connection(name)?.close()
    }

    package func release(_ name: String) {
        // In one step, so that whoever adds up finds it in one of the two.
        let released = state.withLock { state in
            let connection = state.connections.removeValue(forKey: name)
            if let connection { state.draining[ObjectIdentifier(connection)] = connection }
            return connection
        }
        guard let connection = released else { return }
        let id = ObjectIdentifier(connection)
        let failure = connection.observed.lastFailure
        state.withLock { state in
            if state.awaited.contains(name) { state.lastFailures[name] = failure }
        }
        let giveUp = connection.eventLoop.scheduleTask(in: Self.drainAfterRelease) {
            connection.discard(.connectionDeleted)
        }
        connection.drain { [weak self] in
            giveUp.cancel()
            self?.environment.lifecycle.forget(connection.uid)
            self?.retire(id)
        }
        environment.onChange(name)
    }

    private func retire(_ id: ObjectIdentifier) {
        state.withLock { state in
            guard let connection = state.draining.removeValue(forKey: id) else { return }
            state.retired.add(connection.observed.traffic)
        }
    }

    /// What all connections have carried since the start, deleted ones included.
    package func totals() -> FleetTotals {
        var (totals, present) = state.withLock { state in
            (state.retired, Array(state.connections.values) + Array(state.draining.values))
        }
        for connection in present { totals.add(connection.observed.traffic) }
        return totals
    }

    // MARK: End of the process

    /// Closes every socket with 1001 and publishes what is buffered, within a limit.
    ///
    /// - Returns: how many messages could not be published and were counted as `shutdown`.
    package func shutDown(within limit: Duration) async -> Int {
        let (open, draining) = state.withLock { state in
            state.isShuttingDown = true
            return (Array(state.connections.values), Array(state.draining.values))
        }
        for connection in open { connection.shutDown() }
        let deadline = environment.clock.now().advanced(by: limit)
        while environment.clock.now() < deadline {
            let isDone = (open + draining).allSatisfy {
                let seen = $0.observed
                return seen.traffic.bufferedMessages == 0 && !seen.hasSocket
            }
            if isDone { break }
            try? await Task.sleep(for: .milliseconds(20))
        }
        let buffered = (open + draining).reduce(0) { $0 + $1.observed.traffic.bufferedMessages }
        var saved = 0
        for connection in open + draining where connection.observed.traffic.bufferedMessages > 0 {
            saved += await connection.saveToSpill()
        }
        for connection in open + draining { connection.discard(.shutdown) }
        return max(0, buffered - saved)
    }
}

extension ObservedConnection {
    package var hasSocket: Bool {
        switch state {
        case .idle, .down: false
        case .dialing, .open, .closing: true
        }
    }
}
