package import ManagerCore

/// Runs one seed: start, faults, healing, and what must hold after it.
package enum Simulation {
    package struct Outcome: Sendable {
        package var seed: UInt64
        package var violation: Violation?
        package var coverage: Coverage
        package var events: Int
        package var published: Int
        package var acked: Int
        package var trace: [String]
    }

    package static func run(
        seed: UInt64, rules: ProtocolRules = .all, isTracing: Bool = false
    ) -> Outcome {
        let world = World(
            configuration: SimConfiguration(seed: seed, rules: rules), seed: seed,
            isTracing: isTracing)
        world.start()
        world.scheduleFaults()
        return world.finish()
    }
}

extension World {
    /// Starts instances, remotes, clients and checks.
    func start() {
        for place in places {
            let isTogether = configuration.startsTogether || random.chance(700)
            let delay = isTogether ? random.time(0, .second) : random.time(0, 8 * .second)
            after(delay) { [unowned place] in place.start() }
        }
        for name in remotes.keys.sorted() { remotes[name]?.start() }
        clients.start(self)
        checker.start(self)
    }

    func scheduleFaults() {
        let first = 12 * SimTime.second
        let last = SimTime(configuration.faultSeconds) * .second
        for _ in 0..<configuration.faultCount {
            guard let kind = random.pick(configuration.faults) else { continue }
            let short = random.chance(500)
            let duration =
                short
                ? random.time(200 * .millisecond, 8 * .second)
                : random.time(5 * .second, 45 * .second)
            at(random.time(first, max(first + 1, last))) { [unowned self] in
                guard let place = random.pick(places) else { return }
                begin(kind, on: place, for: duration)
            }
        }
    }

    /// Longest time from the end of all faults and late landings to every shard being served.
    var bound: SimTime {
        let timing = configuration.timing
        let local =
            timing.suspicion + timing.poll * 2 + timing.rankStep * configuration.slots
            + timing.closeAfterFenced + timing.scan
        let microseconds =
            local.components.seconds * 1_000_000
            + local.components.attoseconds / 1_000_000_000_000
        return microseconds * 102 / 100 + 10 * .second
    }

    /// Lets the faults end, and checks that the cluster heals and comes to rest.
    func finish() -> Simulation.Outcome {
        run(until: SimTime(configuration.faultSeconds) * .second)
        // A fault that is under way may take a while longer.
        run(until: now + 50 * .second)
        if violation == nil { heal() }
        run(until: max(now, lastLanding) + bound)
        if violation == nil { checker.checkServed(self) }
        let timing = configuration.timing
        let rest = timing.settle + timing.restAfterMove * 2 + timing.scan * 2
        run(until: now + rest.components.seconds * .second + 20 * .second)
        let quietSince = now
        run(until: now + 20 * .second)
        if violation == nil, checker.lastMove > quietSince {
            broken(12, "a shard moved at \(checker.lastMove / .millisecond) ms without a cause")
        }
        if violation == nil { checker.checkServed(self) }
        if violation == nil { checker.checkBalanced(self) }
        coverage.seedEnded()
        end()
        return Simulation.Outcome(
            seed: seed, violation: violation, coverage: coverage, events: eventCount,
            published: bus.count, acked: clients.ackedCount, trace: trace)
    }
}
