/// All that is desired beside all that is there, at one moment: what a resync looks at.
///
/// It decides by the same facts as a pass over one key. A key whose step does nothing costs no pass;
/// of the others each gets one, which compares again.
struct Comparison {
    /// Names whose step does something.
    var due: [String] = []
    /// Names whose step is to wait, and until when.
    var waiting: [(name: String, until: ContinuousClock.Instant)] = []
    /// How many are as they should be, on their way there, or blocked.
    var settledCount = 0

    init(
        _ desired: any DesiredState, _ control: any ConnectionControl,
        now: ContinuousClock.Instant
    ) {
        let wanted = desired.desiredFacts()
        var found = 0
        control.forEachObserved { name, observed in
            let record = wanted[name]
            if record != nil { found += 1 }
            add(name, Plan.step(desired: record, observed: observed, now: now))
        }
        guard found < wanted.count else { return }
        var present: Set<String> = []
        present.reserveCapacity(found)
        control.forEachObserved { name, _ in present.insert(name) }
        for (name, record) in wanted where !present.contains(name) {
            add(name, Plan.step(desired: record, observed: nil, now: now))
        }
    }

    private mutating func add(_ name: String, _ step: PlanStep) {
        switch step {
        case .keep, .blocked: settledCount += 1
        case .wait(let until): waiting.append((name, until))
        default: due.append(name)
        }
    }
}
