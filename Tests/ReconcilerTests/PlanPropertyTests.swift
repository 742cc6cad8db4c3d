import ManagerCore
import Spec
import TestKit
import Testing

@testable import Reconciler

/// Random worlds, and a model in which plans are applied until nothing is left to do.
@Suite struct PlanPropertyTests {
    /// Desired records, sockets, and how the dials of the world end.
    private struct World {
        let clock = ManualClock()
        let control: RecordingControl
        var desired: [String: DesiredConnection] = [:]
        /// How many dials of each name still fail.
        var failures: [String: Int] = [:]
        var generator: SplitMix64

        init(seed: UInt64) {
            generator = SplitMix64(seed: seed)
            control = RecordingControl(clock: clock)
            control.opensAtOnce = false
            control.closesAtOnce = false
            for number in 0..<Int.random(in: 1...12, using: &generator) { add("c\(number)") }
        }

        private mutating func add(_ name: String) {
            let isDesired = !generator.oneIn(4)
            var record = DesiredConnection.sample(name) { spec in
                spec.autoReconnect = !generator.oneIn(4)
                spec.reconnect.maxAttempts = generator.oneIn(4) ? 2 : 0
            }
            if generator.oneIn(2) {
                // What is there was made from an older record, perhaps of another life.
                var older = record
                if generator.oneIn(4) { older.uid = .sample("old-\(name)") }
                older.spec.autoReconnect = true
                bring(older, generator.oneIn(2))
                if generator.oneIn(2) { record.generation += 1 }
                if generator.oneIn(3) { record.dialRevision += 1 }
            }
            if generator.oneIn(6) {
                record.isProvisional = true
                record.spentDialRevision = record.dialRevision
            } else if !record.spec.autoReconnect, generator.oneIn(2) {
                record.spentDialRevision = record.dialRevision
            }
            if isDesired { desired[name] = record }
            failures[name] = Int.random(in: 0...3, using: &generator)
        }

        /// Brings a connection into a random state of its life.
        private mutating func bring(_ record: DesiredConnection, _ withSocket: Bool) {
            control.open(record)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: break
            case 1: control.dialFails(record.name)
            case 2: control.dialOpens(record.name)
            default:
                control.dialOpens(record.name)
                control.close(record.name)
                if withSocket { control.socketCloses(record.name) }
            }
        }

        var plan: Plan {
            Plan.compute(
                desired: Array(desired.values), observed: control.observed, now: clock.now)
        }

        mutating func apply(_ entry: Plan.Entry) {
            let name = entry.name
            switch entry.step {
            case .open:
                guard var record = desired[name] else {
                    Issue.record("\(name) is dialled and nobody wants it")
                    return
                }
                if !record.spec.autoReconnect { record.spentDialRevision = record.dialRevision }
                desired[name] = record
                control.open(record)
            case .reopen(let cause):
                if let record = desired[name] { control.reopen(record, cause: cause) }
            case .update:
                if let record = desired[name] { control.update(record) }
            case .close: control.close(name)
            case .release: control.release(name)
            case .discard: desired[name] = nil
            case .confirm: desired[name]?.isProvisional = false
            case .keep, .blocked, .wait: break
            }
        }

        /// Ends what is under way. Returns whether anything was.
        mutating func settle() -> Bool {
            var moved = false
            for seen in control.observed {
                switch seen.state {
                case .dialing:
                    moved = true
                    if failures[seen.name, default: 0] > 0 {
                        failures[seen.name, default: 0] -= 1
                        control.dialFails(seen.name)
                    } else {
                        control.dialOpens(seen.name)
                    }
                case .closing:
                    moved = true
                    control.socketCloses(seen.name)
                case .idle, .open, .down:
                    break
                }
            }
            return moved
        }

        /// What of the plan is to be done: what is blocked stays so.
        func isConverged(_ plan: Plan) -> Bool {
            plan.followUpAt == nil
                && plan.entries.allSatisfy {
                    if case .blocked = $0.step { true } else { false }
                }
        }
    }

    @Test(arguments: 0..<400 as Range<UInt64>)
    func everyWorldConvergesInBoundedPasses(_ seed: UInt64) throws {
        var world = World(seed: seed)
        var passes = 0
        while true {
            var plan = world.plan
            plan.entries.shuffle(using: &world.generator)
            for entry in plan.entries { world.apply(entry) }
            let moved = world.settle()
            if !moved, world.isConverged(world.plan) { break }
            if let until = world.plan.followUpAt { world.clock.advance(to: until) }
            passes += 1
            guard passes < 30 else {
                Issue.record("seed \(seed) does not converge: \(world.plan.entries)")
                return
            }
        }
        #expect(world.control.violations.isEmpty, "seed \(seed): \(world.control.violations)")
        expectAsDesired(world, seed: seed)
    }

    private func expectAsDesired(_ world: World, seed: UInt64) {
        let isStalled: (String) -> Bool = { name in
            world.plan.entries.contains { $0.name == name }
        }
        for record in world.desired.values {
            #expect(!record.isProvisional, "seed \(seed): \(record.name) is still unanswered")
            guard !isStalled(record.name) else { continue }
            let seen = world.control.observe(record.name)
            #expect(seen?.isOpen ?? false, "seed \(seed): \(record.name) has no socket")
            #expect(seen?.uid == record.uid)
            #expect(seen?.generation == record.generation)
            #expect(seen?.dialRevision == record.dialRevision)
        }
        for seen in world.control.observed {
            #expect(world.desired[seen.name] != nil, "seed \(seed): \(seen.name) is an orphan")
        }
    }

    /// A resync leaves out only what a pass would leave alone.
    @Test(arguments: 0..<400 as Range<UInt64>)
    func aComparisonOfAllFindsWhatAPassOverEachWould(_ seed: UInt64) {
        let world = World(seed: seed)
        let now = world.clock.now
        var places = RecordPlaces()
        let compared = Comparison(
            FakeDesiredState(Array(world.desired.values)), world.control, now: now, places: &places)
        let names = Set(world.desired.keys).union(world.control.observedNames())
        var due: Set<String> = []
        var waiting: [String: Moment] = [:]
        for name in names {
            let step = Plan.step(
                desired: world.desired[name], observed: world.control.observe(name), now: now)
            switch step {
            case .keep, .blocked: break
            case .wait(let until): waiting[name] = until
            default: due.insert(name)
            }
        }
        #expect(compared.due.sorted() == due.sorted(), "seed \(seed)")
        #expect(compared.waiting.count == waiting.count)
        for (name, until) in compared.waiting { #expect(waiting[name] == until) }
        #expect(compared.settledCount == names.count - due.count - waiting.count)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func theOrderOfTheInputsHasNoMeaning(_ seed: UInt64) {
        var world = World(seed: seed)
        let plan = world.plan
        var desired = Array(world.desired.values)
        var observed = world.control.observed
        for _ in 0..<3 {
            desired.shuffle(using: &world.generator)
            observed.shuffle(using: &world.generator)
            #expect(
                Plan.compute(desired: desired, observed: observed, now: world.clock.now) == plan)
        }
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func theOrderOfTheStepsDoesNotChangeTheResult(_ seed: UInt64) {
        func result(reversed: Bool) -> Set<String> {
            var world = World(seed: seed)
            world.failures = [:]
            for _ in 0..<30 {
                let entries = world.plan.entries
                for entry in reversed ? entries.reversed() : entries { world.apply(entry) }
                _ = world.settle()
                if let until = world.plan.followUpAt { world.clock.advance(to: until) }
            }
            return Set(world.control.openNames)
        }
        #expect(result(reversed: false) == result(reversed: true))
    }
}
