import ManagerCore
import NIOCore
import Synchronization

// Bringing a shard to rest, ahead of a hand-over or a release.
extension FleetShards {
    /// Asked again when a connection was opened meanwhile: it publishes what its shadow buffered.
    package func stopReading(_ gate: ShardGate, stop: Int) {
        state.withLock { state in
            state.stopping[gate.shard] = stop
            gate.rest(false)
        }
        fleet.setStopped(true, gate)
        waitForQuiet(gate, stop)
    }

    /// Waits until every connection, the deleted ones that still publish too (decision 0029), and
    /// the lifecycle events of the title have come to rest.
    private func waitForQuiet(_ gate: ShardGate, _ stop: Int) {
        let (present, leaving) = fleet.members(of: gate)
        let connections = present + leaving
        let latch = Latch(connections.count) { [weak self] in
            guard let self else { return }
            self.environment.lifecycle.whenQuiet(gate) { [weak self] in self?.rest(gate, stop) }
        }
        for connection in connections { connection.stopReading { latch.arrive() } }
    }

    /// Closes the gate and looks once more: what the digests say from then on is final.
    private func rest(_ gate: ShardGate, _ stop: Int) {
        guard let title = gate.title, rests(gate, stop, true) else { return }
        let (present, leaving) = fleet.members(of: gate)
        let (lifecycle, reports) = (environment.lifecycle, environment.reports)
        // A deleted connection has no heir; one of the same name may be there again.
        let heirs = Set(present.map { ObjectIdentifier($0) })
        Gathering.run(
            present + leaving,
            { ($0.isQuiet, heirs.contains(ObjectIdentifier($0)) ? $0.digests : nil) }
        ) { [weak self] found in
            guard found.allSatisfy(\.0), lifecycle.isQuiet(gate) else {
                guard let self, self.rests(gate, stop, false) else { return }
                return self.waitForQuiet(gate, stop)
            }
            guard let self, self.state.withLock({ $0.stopping[gate.shard] == stop }) else {
                return
            }
            reports.drained(
                shard: gate.shard, title: title, stop: stop, found.compactMap(\.1).sortedByName)
        }
    }

    /// Closes or opens the gate, unless the hand-over was called off meanwhile.
    private func rests(_ gate: ShardGate, _ stop: Int, _ isWanted: Bool) -> Bool {
        state.withLock { state in
            guard state.stopping[gate.shard] == stop else { return false }
            gate.rest(isWanted)
            return true
        }
    }
}

/// Tells once, when as many have arrived as were said. Any thread.
final class Latch: Sendable {
    private let left: Mutex<Int>
    private let then: @Sendable () -> Void

    init(_ count: Int, then: @escaping @Sendable () -> Void) {
        left = Mutex(count)
        self.then = then
        if count == 0 { then() }
    }

    func arrive() {
        let isLast = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { then() }
    }
}

/// Asks connections on their event loops, all at once.
enum Gathering {
    /// - Parameter then: called once, on the thread of the last answer.
    static func run<Answer: Sendable>(
        _ connections: [ManagedConnection],
        _ ask: @escaping @Sendable (ManagedConnection) -> Answer,
        then: @escaping @Sendable ([Answer]) -> Void
    ) {
        let answers = Answers<Answer>()
        let latch = Latch(connections.count) { then(answers.all) }
        for connection in connections {
            connection.look(ask) { answer in
                answers.add(answer)
                latch.arrive()
            }
        }
    }

    private final class Answers<Answer: Sendable>: Sendable {
        private let list = Mutex<[Answer]>([])

        var all: [Answer] { list.withLock { $0 } }

        func add(_ answer: Answer) { list.withLock { $0.append(answer) } }
    }
}
