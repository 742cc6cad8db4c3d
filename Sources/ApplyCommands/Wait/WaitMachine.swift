internal import ManagerAPI

/// Tells, change by change, whether the applied connections have come to what is waited for.
///
/// Pure: fed with what Watch sends. A connection that leaves the goal again while others are awaited is
/// awaited again.
struct WaitMachine: Sendable {
    /// One connection that is awaited.
    struct Target: Sendable {
        enum State: Sendable, Equatable {
            case pending, reached
            /// No time to wait would help.
            case failed
        }

        /// The generation that was applied; 0 where any will do.
        var generation: Int64
        var state = State.pending
        /// As last seen; `nil` before.
        var object: Wsm_V1_Object?
        /// It was deleted while we waited.
        var isDeleted = false
    }

    enum Verdict: Equatable, Sendable {
        case waiting
        case reached
        case failed
    }

    let goal: WaitGoal
    private(set) var targets: [String: Target]
    /// Sets whose members are found out by watching.
    private let connectionSets: Set<String>
    private var isSynced = false
    private(set) var reached = 0
    private(set) var failed = 0

    /// - Parameters:
    ///   - connections: Applied connections and their generation.
    ///   - connectionSets: Applied sets whose members are not among `connections`.
    init(goal: WaitGoal, connections: [String: Int64], connectionSets: Set<String> = []) {
        self.goal = goal
        self.connectionSets = connectionSets
        targets = connections.mapValues { Target(generation: $0) }
    }

    /// The connections known to be awaited, sorted.
    var names: [String] { targets.keys.sorted() }

    /// All that is awaited is known by name.
    var isExplicit: Bool { connectionSets.isEmpty }

    /// There is nothing to wait for.
    var isEmpty: Bool { targets.isEmpty && connectionSets.isEmpty }

    var verdict: Verdict {
        guard isSynced else { return .waiting }
        if failed > 0 { return .failed }
        return reached == targets.count ? .reached : .waiting
    }

    mutating func received(_ change: Wsm_V1_WatchChange) {
        switch change.action {
        case .synced: synced()
        case .present, .changed: saw(change.object)
        case .deleted: deleted(change.object.name)
        case .unspecified, .UNRECOGNIZED: break
        }
    }

    /// What has not been seen by now is not there.
    private mutating func synced() {
        isSynced = true
        guard goal == .deleted else { return }
        for (name, target) in targets where target.object == nil {
            update(name, target, to: .reached)
        }
    }

    private mutating func saw(_ object: Wsm_V1_Object) {
        var target: Target
        if let known = targets[object.name] {
            target = known
        } else if !object.connectionSet.isEmpty, connectionSets.contains(object.connectionSet) {
            target = Target(generation: 0)
        } else {
            return
        }
        target.object = object
        target.isDeleted = false
        update(object.name, target, to: state(of: object, generation: target.generation))
    }

    private mutating func deleted(_ name: String) {
        guard var target = targets[name] else { return }
        target.isDeleted = true
        update(name, target, to: goal == .deleted ? .reached : .failed)
    }

    private func state(of object: Wsm_V1_Object, generation: Int64) -> Target.State {
        let isCurrent =
            object.generation >= generation && object.observedGeneration >= object.generation
        guard isCurrent else { return .pending }
        if goal.isReached(by: object) { return .reached }
        if goal == .deleted { return .pending }
        return object.stalled ? .failed : .pending
    }

    private mutating func update(_ name: String, _ target: Target, to state: Target.State) {
        var target = target
        count(targets[name]?.state, by: -1)
        count(state, by: 1)
        target.state = state
        targets[name] = target
    }

    private mutating func count(_ state: Target.State?, by step: Int) {
        switch state {
        case .reached: reached += step
        case .failed: failed += step
        case .pending, nil: break
        }
    }

    /// `waiting for Ready: 12 of 100 (85 Connecting, 3 Reconnecting)`
    var progressText: String {
        var phases: [String: Int] = [:]
        for target in targets.values where target.state != .reached {
            let phase = target.object?.phase ?? ""
            phases[phase.isEmpty ? "Pending" : phase, default: 0] += 1
        }
        let rest = phases.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.value) \(TerminalText.safe($0.key))" }
        let text = "waiting for \(goal.rawValue): \(reached) of \(targets.count)"
        return rest.isEmpty ? text : text + " (\(rest.joined(separator: ", ")))"
    }

    /// The connections in one state, sorted by name.
    func targets(in state: Target.State) -> [(name: String, target: Target)] {
        targets.filter { $0.value.state == state }
            .sorted { $0.key < $1.key }
            .map { ($0.key, $0.value) }
    }
}
