import ManagerCore

/// A title as the fleet serves it, and whose the shard was before.
struct Tenure: Sendable {
    var gate: ShardGate
    /// `nil` for a process that is alone on its store.
    var origin: ShardHeader.Origin?
    var takenAt: WallTime
    /// What the owner before said it published last, by name.
    var published: [String: ConnectionDigests] = [:]
    /// A hand-over or a release has begun: connections are born at rest.
    var isStopped = false

    init(_ gate: ShardGate, origin: ShardHeader.Origin? = nil, takenAt: WallTime) {
        self.gate = gate
        self.origin = origin
        self.takenAt = takenAt
    }

    /// What a connection tells first: another owner had it, unless it was made under this title.
    func succession(of desired: DesiredConnection, _ stored: StoredStatus?) -> Succession? {
        guard let origin, origin.how != .first else { return nil }
        let isOlder =
            desired.createdAt <= takenAt || stored?.epoch.map { $0 < gate.epoch } ?? false
        return isOlder ? succession(of: desired.name) : nil
    }

    func succession(of name: String) -> Succession {
        let isHandedOver = origin?.how == .handover
        return Succession(
            cause: isHandedOver ? .handover : .takeover, epoch: origin?.shardEpoch ?? 0,
            lastSequence: published[name]?.lastSequence,
            matched: isHandedOver ? LifecycleEvent.Gap.Match.none : nil)
    }
}

/// The titles of a fleet.
enum Tenures: Sendable {
    case alone(Tenure)
    case shards([Int: Tenure])

    static func sole(_ gate: ShardGate) -> Tenures {
        .alone(Tenure(gate, takenAt: WallTime(nanosecondsSinceEpoch: 0)))
    }

    func tenure(of name: String) -> Tenure? {
        switch self {
        case .alone(let tenure): tenure
        case .shards(let tenures): tenures[Shards.shard(of: name)]
        }
    }

    func tenure(_ gate: ShardGate) -> Tenure? {
        guard case .shards(let tenures) = self, let tenure = tenures[gate.shard],
            tenure.gate === gate
        else { return nil }
        return tenure
    }

    mutating func begin(_ tenure: Tenure) {
        guard case .shards(var tenures) = self else { return }
        tenures[tenure.gate.shard] = tenure
        self = .shards(tenures)
    }

    mutating func setStopped(_ isStopped: Bool, _ gate: ShardGate) {
        guard var tenure = tenure(gate) else { return }
        tenure.isStopped = isStopped
        begin(tenure)
    }

    mutating func end(_ gate: ShardGate) {
        guard tenure(gate) != nil, case .shards(var tenures) = self else { return }
        tenures[gate.shard] = nil
        self = .shards(tenures)
    }
}
