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

    let environment: ConnectionEnvironment
    private let group: any EventLoopGroup
    private let stored: @Sendable (_ name: String) -> StoredStatus?
    private let state: Mutex<State>

    /// A connection, and what it acts under.
    private struct Entry {
        var connection: ManagedConnection
        var gate: ShardGate
    }

    private struct State {
        var tenures: Tenures
        private(set) var connections: [String: Entry] = [:]
        /// Of a member of a cluster: the names under each shard.
        private var names: [Int: Set<String>] = [:]
        /// Released or given away, but with messages still to publish, or a socket still to close.
        var draining: [ObjectIdentifier: Entry] = [:]
        /// Of those that are gone: counters never fall.
        var retired = FleetTotals()
        /// The process ends: nothing is dialled any more, whatever was decided before.
        var isShuttingDown = false
        /// Whose last failure is kept, and the failures of those that are gone already.
        var awaited: Set<String> = []
        var lastFailures: [String: LinkFailure] = [:]

        init(tenures: Tenures) {
            self.tenures = tenures
        }

        mutating func insert(_ entry: Entry) {
            let name = entry.connection.name
            connections[name] = entry
            entry.connection.enterFleet()
            if entry.gate.title != nil { names[entry.gate.shard, default: []].insert(name) }
        }

        mutating func remove(_ name: String) -> Entry? {
            guard let entry = connections.removeValue(forKey: name) else { return nil }
            entry.connection.leaveFleet()
            if entry.gate.title != nil { names[entry.gate.shard]?.remove(name) }
            draining[ObjectIdentifier(entry.connection)] = entry
            return entry
        }

        func present(under gate: ShardGate) -> [ManagedConnection] {
            (names[gate.shard] ?? []).compactMap { connections[$0] }
                .filter { $0.gate === gate }.map(\.connection)
        }

        func leaving(under gate: ShardGate) -> [ManagedConnection] {
            draining.values.filter { $0.gate === gate }.map(\.connection)
        }
    }

    /// - Parameters:
    ///   - gate: of a process that is alone on its store; `nil` for a member of a cluster, which
    ///     has a gate for each shard it serves, see ``FleetShards``.
    ///   - stored: the status the record was last written with.
    package init(
        environment: ConnectionEnvironment, group: any EventLoopGroup, gate: ShardGate?,
        stored: @escaping @Sendable (String) -> StoredStatus?
    ) {
        state = Mutex(State(tenures: gate.map(Tenures.sole) ?? .shards([:])))
        self.environment = environment
        self.group = group
        self.stored = stored
    }

    package func connection(_ name: String) -> ManagedConnection? {
        state.withLock { $0.connections[name]?.connection }
    }

    package var all: [ManagedConnection] {
        state.withLock { $0.connections.values.map(\.connection) }
    }

    /// The title under which a name is served here; `nil` without one.
    package func gate(for name: String) -> ShardGate? {
        state.withLock { $0.tenures.tenure(of: name)?.gate }
    }

    /// Of those with an open socket.
    package var openNames: [String] { all.filter { $0.observed.isOpen }.map(\.name) }

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

    package func observedFacts(_ name: String) -> ObservedFacts? {
        connection(name)?.passFacts
    }

    package func forEachObserved(_ body: (ArraySlice<ObservedRow>) -> Void) {
        environment.fleetFacts.forEach(body)
    }

    package func expectDial(_ desired: DesiredConnection) {
        present(desired)?.markDialing(desired.dialRevision)
    }

    package func dialIsOff(_ name: String) {
        connection(name)?.dialIsOff()
    }

    package func open(_ desired: DesiredConnection) {
        present(desired)?.open(desired)
    }

    /// The connection of a record that this instance may connect; made where there is none.
    private func present(_ desired: DesiredConnection) -> ManagedConnection? {
        state.withLock { state in
            if state.isShuttingDown { return nil }
            if let present = state.connections[desired.name] { return present.connection }
            guard let tenure = state.tenures.tenure(of: desired.name) else { return nil }
            let stored = stored(desired.name)
            let made = ManagedConnection(
                desired, eventLoop: group.next(), environment: environment, gate: tenure.gate,
                stored: stored, succession: tenure.succession(of: desired, stored))
            made.isStopped = tenure.isStopped
            state.insert(Entry(connection: made, gate: tenure.gate))
            return made
        }
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
        let released = state.withLock { $0.remove(name) }
        guard let (connection, gate) = released.map({ ($0.connection, $0.gate) }) else { return }
        let id = ObjectIdentifier(connection)
        let failure = connection.observed.lastFailure
        state.withLock { state in
            if state.awaited.contains(name) { state.lastFailures[name] = failure }
        }
        let giveUp = connection.eventLoop.scheduleTask(in: Self.drainAfterRelease) {
            connection.discard(gate.isEnded ? .fenced : .connectionDeleted)
        }
        connection.drain { [weak self] in
            giveUp.cancel()
            self?.retire(id)
        }
        environment.onChange([name])
    }

    func retire(_ id: ObjectIdentifier) {
        state.withLock { state in
            guard let entry = state.draining.removeValue(forKey: id) else { return }
            state.retired.add(entry.connection.observed.traffic)
        }
    }

    /// Messages that were lost without a connection that could count them.
    func countDropped(_ reason: DropReason, messages: Int) {
        state.withLock { $0.retired.dropped.count(reason, messages: messages) }
    }

    /// What all connections have carried since the start, deleted ones included.
    package func totals() -> FleetTotals {
        var (totals, present) = state.withLock { state in
            (state.retired, Array(state.connections.values) + Array(state.draining.values))
        }
        for entry in present { totals.add(entry.connection.observed.traffic) }
        return totals
    }

    // MARK: Titles

    func begin(_ tenure: Tenure) {
        state.withLock { $0.tenures.begin(tenure) }
    }

    /// Connections opened under the title from now on are born at rest, or are not.
    func setStopped(_ isStopped: Bool, _ gate: ShardGate) {
        state.withLock { $0.tenures.setStopped(isStopped, gate) }
    }

    /// Everything that acts under a title, deleted connections that still publish included.
    func members(of gate: ShardGate) -> (present: [ManagedConnection], leaving: [ManagedConnection])
    {
        state.withLock { ($0.present(under: gate), $0.leaving(under: gate)) }
    }

    /// What a connection under the title has to tell first.
    func succession(of name: String, under gate: ShardGate) -> Succession {
        state.withLock { $0.tenures.tenure(gate)?.succession(of: name) }
            ?? Succession(cause: .takeover, epoch: 0)
    }

    /// A shadow has become the connection; it must be known here before it is forgotten there.
    ///
    /// - Returns: `false` if there is one already, or the title is gone.
    func adopt(_ connection: ManagedConnection, under gate: ShardGate) -> Bool {
        state.withLock { state in
            guard state.connections[connection.name] == nil, !state.isShuttingDown,
                state.tenures.tenure(of: connection.name)?.gate === gate
            else { return false }
            state.insert(Entry(connection: connection, gate: gate))
            return true
        }
    }

    /// The title is gone: none of its connections is found any more, and none is made under it.
    ///
    /// - Returns: all that acted under it; each is owed a ``retire(_:)``.
    func end(_ gate: ShardGate) -> [ManagedConnection] {
        state.withLock { state in
            state.tenures.end(gate)
            for connection in state.present(under: gate) { _ = state.remove(connection.name) }
            return state.leaving(under: gate)
        }
    }

    // MARK: End of the process

    /// Closes every socket with 1001 and publishes what is buffered, within a limit.
    ///
    /// - Returns: how many messages could not be published and were counted as `shutdown`.
    package func shutDown(within limit: Duration) async -> Int {
        let (open, draining, ended) = state.withLock { state in
            state.isShuttingDown = true
            let entries = Array(state.connections.values) + Array(state.draining.values)
            return (
                state.connections.values.map(\.connection),
                state.draining.values.map(\.connection),
                entries.filter(\.gate.isEnded).map(\.connection)
            )
        }
        for connection in open { connection.shutDown() }
        // Nobody waits for what may never go out.
        for connection in ended { connection.discard(.fenced) }
        await environment.clock.wait(within: limit) {
            (open + draining).allSatisfy {
                let seen = $0.observed
                return seen.traffic.bufferedMessages == 0 && !seen.hasSocket
            }
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

extension ConnectionFacts {
    package var hasSocket: Bool {
        switch state {
        case .idle, .down: false
        case .dialing, .open, .closing: true
        }
    }
}
