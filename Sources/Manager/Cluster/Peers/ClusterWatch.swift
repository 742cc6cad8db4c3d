import GRPCCore
import ManagerAPI
import ManagerCore
import Spec

/// One watch over all members.
struct ClusterWatch: Sendable {
    typealias Streams = MemberStreams<Wsm_V1_WatchRequest, Wsm_V1_WatchResponse>
    /// Records looked up at a time, of objects that no member shows.
    static let recordsPerLook = 100

    let kind: ObjectKind
    let request: Wsm_V1_WatchRequest
    let filter: ObjectFilter
    let reads: MemberReads
    let ownerless: OwnerlessObjects
    let here: Streams.Here
    let now: @Sendable () -> Moment

    func run(
        _ response: RPCWriter<Wsm_V1_WatchResponse>, _ context: ServerContext
    ) async throws {
        let request = request
        let streams = Streams(
            cluster: reads.cluster, calls: reads.calls, request: { _ in request }, here: here)
        var merge = WatchMerge(members: reads.cluster.members.map(\.instance))
        let began = now()
        try await streams.run(context) { delivery, _ in
            var changes: [Wsm_V1_WatchChange] = []
            var isLookWanted = false
            switch delivery.element {
            case .opened(let peer): merge.opened(peer.instance)
            case .ended(let peer): merge.ended(peer.instance)
            case .message(let peer, let message):
                changes = merge.received(message.changes, from: peer.instance)
                isLookWanted = message.changes.contains { $0.action == .deleted }
            case .tick: isLookWanted = merge.isSynced
            }
            let isLate = began.duration(to: now()) > MemberStreamTimes.firstSync
            if merge.canSync || (isLate && !merge.isSynced) {
                changes += try await unowned(&merge)
                changes.append(merge.sync())
            } else if isLookWanted, merge.isSynced {
                changes += try await look(&merge)
            }
            try await tell(changes, response)
            return true
        }
    }

    /// What nobody serves at the begin of the watch.
    private func unowned(_ merge: inout WatchMerge) async throws -> [Wsm_V1_WatchChange] {
        let shards = reads.control.view.shards.filter {
            $0.state == .unowned || $0.state == .orphaned
        }
        let names = try await ownerless.names(kind, shards: Set(shards.map(\.number)))
        var changes: [Wsm_V1_WatchChange] = []
        for start in stride(from: 0, to: names.count, by: Self.recordsPerLook) {
            let group = Array(names[start..<min(start + Self.recordsPerLook, names.count)])
            for object in try await ownerless.objects(
                kind, group, filter: filter, isBrief: false, { _ in .noOwner })
            {
                if let change = merge.stored(object) { changes.append(change) }
            }
        }
        return changes
    }

    /// Asks the store what became of the objects that no member shows.
    private func look(_ merge: inout WatchMerge) async throws -> [Wsm_V1_WatchChange] {
        let names = merge.unplaced
        var changes: [Wsm_V1_WatchChange] = []
        for start in stride(from: 0, to: names.count, by: Self.recordsPerLook) {
            let group = Array(names[start..<min(start + Self.recordsPerLook, names.count)])
            let found: [Wsm_V1_Object]
            do {
                found = try await ownerless.objects(
                    kind, group, filter: filter, isBrief: false, { _ in .noOwner })
            } catch is NotServed {
                // The store is away: the next tick asks again.
                return changes
            }
            let present = Set(found.map(\.name))
            for name in group where !present.contains(name) {
                if let change = merge.gone(name, kind: kind.rawValue) { changes.append(change) }
            }
            for object in found where reads.cluster.owner(of: object.name) == .nobody {
                if let change = merge.stored(object) { changes.append(change) }
            }
        }
        return changes
    }

    private func tell(
        _ changes: [Wsm_V1_WatchChange], _ response: RPCWriter<Wsm_V1_WatchResponse>
    ) async throws {
        var batch = WatchBatch()
        for change in changes {
            batch.add(change)
            if batch.isFull, let message = batch.take() { try await response.write(message) }
        }
        if let message = batch.take() { try await response.write(message) }
    }
}
