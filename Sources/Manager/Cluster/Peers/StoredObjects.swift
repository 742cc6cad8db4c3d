package import ManagerCore
import Spec

/// Objects as they stand in the state store, for those that no instance has in memory. Any thread.
package protocol StoredObjects: Sendable {
    /// What the index pages of these shards name. A name may be of an object that is gone.
    func entries(ofShards shards: Set<Int>) async throws -> [ObjectKey]
    /// The records of these names that are live, in any order.
    func connections(_ names: [String]) async throws -> [ConnectionRecord]
    func connectionSets(_ names: [String]) async throws -> [ConnectionSetRecord]
}

/// Why what is shown of an object may be old.
enum NotOwned: Sendable, Hashable {
    /// No instance has a title to its shard.
    case noOwner
    /// The one that has does not answer.
    case ownerSilent
    /// The instance that shows it is the owner, as far as it knows, but has no lease at the moment.
    case fenced

    var status: Condition.Status { self == .noOwner ? .no : .unknown }

    var reason: String {
        switch self {
        case .noOwner: "NoOwner"
        case .ownerSilent: "OwnerSilent"
        case .fenced: "Fenced"
        }
    }

    var message: String {
        switch self {
        case .noOwner: "no instance serves it at the moment; the status is the last one stored"
        case .ownerSilent:
            "the instance that serves it does not answer; the status is the last one stored"
        case .fenced:
            "the instance that shows it is cut off from the state store: another may serve it"
        }
    }
}

extension ConnectionOperations.View {
    /// A connection that nobody shows, with what was last stored of its status.
    init(stored record: ConnectionRecord, _ why: NotOwned, now: WallTime) {
        var seen = ObservedConnection(
            name: record.desired.name, uid: record.desired.uid, generation: 0)
        if let stored = record.observed {
            seen.attempt = stored.attempt
            seen.connectedAt = stored.connectedAt
            seen.lastFailure = stored.lastFailure
            seen.lastClose = stored.lastClose
            seen.traffic.published = stored.published
        }
        var status = ConnectionStatus(desired: record.desired, observed: seen, now: now)
        status.phase = record.observed?.phase ?? .pending
        self.init(record: record, status: status)
        doubt(why)
    }

    /// Whether it is ready, and whose it is, nobody can say for certain.
    mutating func doubt(_ why: NotOwned) {
        status.conditions = status.conditions.map { condition in
            var condition = condition
            switch condition.type {
            case "Ready": condition.status = .unknown
            case "Owned": condition.status = why.status
            default: return condition
            }
            condition.reason = why.reason
            condition.message = why.message
            return condition
        }
    }
}
