package import ManagerCore

/// One nasty schedule, directed: which world, what happens in it, what must have happened by the
/// end beside the invariants.
package struct Scenario: Sendable, CustomStringConvertible {
    package var name: String
    /// Changes the world, which is quiet otherwise: no fault but those of the script.
    var configure: @Sendable (inout SimConfiguration) -> Void
    var script: @Sendable (World) -> Void
    /// What else is wrong at the end; `nil` if nothing.
    var check: @Sendable (World) -> String?

    package var description: String { name }

    init(
        _ name: String, configure: @escaping @Sendable (inout SimConfiguration) -> Void = { _ in },
        check: @escaping @Sendable (World) -> String? = { _ in nil },
        script: @escaping @Sendable (World) -> Void
    ) {
        self.name = name
        self.configure = configure
        self.script = script
        self.check = check
    }

    package static var all: [Scenario] {
        lateWrites + joins + calls + pauses + clocks + outages + handOvers + restarts + stores
    }

    /// Runs the scenario; the seed varies delays and phases.
    package func run(
        seed: UInt64, rules: ProtocolRules = .all, isTracing: Bool = false
    ) -> Simulation.Outcome {
        var configuration = SimConfiguration()
        configuration.faultCount = 0
        configuration.latePermille = 0
        configuration.lostAnswerPermille = 0
        configuration.lostRequestPermille = 0
        configuration.itemErrorPermille = 0
        configuration.messageLossPermille = 0
        configuration.duplicatePermille = 0
        configuration.pauseAtPublishPermille = 0
        configuration.slowPublishPermille = 20
        configuration.timing.restAfterMove = .seconds(20)
        configuration.isRedis = seed % 2 == 0
        configuration.rules = rules
        configuration.startsTogether = true
        configure(&configuration)
        let world = World(configuration: configuration, seed: seed, isTracing: isTracing)
        world.start()
        script(world)
        var outcome = world.finish()
        if outcome.violation == nil, let text = check(world) {
            outcome.violation = Violation(invariant: 0, at: world.now, text: "\(name): \(text)")
        }
        return outcome
    }
}

extension World {
    /// When a scenario's script begins: everybody has joined, records exist, the roster is quiet.
    static let warm = 25 * SimTime.second

    func sec(_ seconds: Int) -> SimTime { Self.warm + SimTime(seconds) * .second }

    func place(_ index: Int) -> Place { places[index] }

    /// As `wsm/meta` says and every process knows.
    var shardCount: Int {
        places.compactMap { $0.process?.member.seats.count }.max() ?? configuration.shards
    }

    /// What the process there holds.
    func shards(of place: Place) -> Set<Int> {
        guard let seats = place.process?.member.seats else { return [] }
        return Set(seats.indices.filter { seats[$0].owned != nil })
    }

    func seen(_ transition: String) -> Bool {
        coverage.table.values.contains { ($0[transition] ?? 0) > 0 }
    }

    /// Does this to the first `count` writes that match, after the world is warm.
    func toWrites(
        _ count: Int, _ fate: WriteFate, _ matches: @escaping (Flight, Process) -> Bool
    ) {
        var left = count
        interceptWrite = { [unowned self] flight, process in
            guard now >= Self.warm, left > 0, matches(flight, process) else { return nil }
            left -= 1
            note("scenario: \(fate) for \(flight.key) by \(process)")
            return fate
        }
    }

    /// Does this once, when the first action matches after the world is warm.
    func once(
        _ matches: @escaping (Process, ClusterAction) -> Bool,
        _ body: @escaping (Process) -> Void
    ) {
        var isDone = false
        onAction = { [unowned self] process, action in
            guard now >= Self.warm, !isDone, matches(process, action) else { return }
            isDone = true
            after(0) { body(process) }
        }
    }

    /// The place of another living process.
    func other(than process: Process) -> Place? {
        places.first { $0.process != nil && $0.process !== process }
    }
}

extension Flight {
    var slot: RosterSlot? { if case .slot(let slot) = value { slot } else { nil } }
    var header: ShardHeader? { if case .header(let header) = value { header } else { nil } }
    var isCutOver: Bool { header?.origin.how == .handover }
    var isRecord: Bool { if case .record = value { true } else { false } }
    var isPage: Bool { if case .page = value { true } else { false } }
}
