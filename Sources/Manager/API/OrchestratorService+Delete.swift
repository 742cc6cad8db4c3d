package import GRPCCore
package import ManagerAPI
import ManagerCore
import Spec

extension OrchestratorService {
    /// What a delete takes away, and says in the history of the set that loses it.
    private struct Deletion {
        var set: String
        var by: String
        var now: WallTime
    }

    package func delete(
        request: Wsm_V1_DeleteRequest, context: ServerContext
    ) async throws -> Wsm_V1_DeleteResponse {
        let kind = try kind(request.kind)
        let name = request.name
        let deletion = Deletion(
            set: request.set,
            by: ApplyOptions.identity(request.appliedBy),
            now: operations.clock.wallTime())
        let deleted = try await operations.store.transact { draft in
            switch kind {
            case .connection: try Self.deleteConnection(name, deletion, in: &draft)
            case .connectionSet: try Self.deleteConnectionSet(name, deletion, in: &draft)
            }
        }
        // The loop of another instance is not waited for.
        for name in deleted where operations.store.isServed(name) {
            await operations.reconciled(name)
        }
        var response = Wsm_V1_DeleteResponse()
        response.deleted = Int32(clamping: deleted.count)
        return response
    }

    private static func deleteConnection(
        _ name: String, _ deletion: Deletion, in draft: inout StoreDraft
    ) throws -> [String] {
        guard let desired = draft.connection(name)?.desired else {
            throw ManagerError.connectionNotFound
        }
        if let owner = desired.connectionSet {
            throw ManagerError(
                .failedPrecondition,
                "\(name) is a member of ConnectionSet \(owner): remove it from the set, or delete "
                    + "the set")
        }
        try check(desired.keeper, is: deletion.set, name: name)
        draft.removeConnection(name)
        forget(desired.keeper, deletion, "connection/\(name) deleted", in: &draft) {
            $0.connections.remove(name)
        }
        return [name]
    }

    private static func deleteConnectionSet(
        _ name: String, _ deletion: Deletion, in draft: inout StoreDraft
    ) throws -> [String] {
        guard let record = draft.connectionSet(name) else {
            throw ManagerError(.notFound, "ConnectionSet not found")
        }
        try check(record.keeper, is: deletion.set, name: name)
        var deleted: [String] = []
        for member in record.members
        where draft.connection(member)?.desired.connectionSet == name {
            draft.removeConnection(member)
            deleted.append(member)
        }
        draft.removeConnectionSet(name)
        let summary =
            "connectionset/\(name) deleted with \(deleted.count) "
            + (deleted.count == 1 ? "connection" : "connections")
        forget(record.keeper, deletion, summary, in: &draft) { $0.connectionSets.remove(name) }
        return deleted
    }

    private static func check(_ keeper: Keeper, is set: String, name: String) throws {
        guard set.isEmpty || keeper == .applySet(set) else {
            throw ManagerError(
                .failedPrecondition, "\(name) belongs to \(keeper), not to set \(set)")
        }
    }

    /// The set no longer has it, which is a revision of its own.
    private static func forget(
        _ keeper: Keeper, _ deletion: Deletion, _ summary: String, in draft: inout StoreDraft,
        _ body: (inout ApplySetRecord) -> Void
    ) {
        guard case .applySet(let set) = keeper, var record = draft.applySet(set) else { return }
        body(&record)
        SetHistory.append(
            to: &record, by: deletion.by, at: deletion.now, summary: summary, in: &draft)
    }
}
