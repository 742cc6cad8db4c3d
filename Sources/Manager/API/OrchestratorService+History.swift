package import GRPCCore
package import ManagerAPI
import ManagerCore
import Spec

extension OrchestratorService {
    package func getHistory(
        request: Wsm_V1_GetHistoryRequest, context: ServerContext
    ) async throws -> Wsm_V1_GetHistoryResponse {
        let set = request.set.isEmpty ? "default" : request.set
        guard let record = operations.store.applySet(set) else {
            throw ManagerError(.notFound, "set \(set) was never applied")
        }
        var response = Wsm_V1_GetHistoryResponse()
        response.revisions = record.history.reversed().map(Wsm_V1_SetRevision.init)
        return response
    }

    package func rollback(
        request: Wsm_V1_RollbackRequest, response: RPCWriter<Wsm_V1_ApplyResponse>,
        context: ServerContext
    ) async throws {
        throw ManagerError(.failedPrecondition, "no revision keeps its manifests yet")
    }
}

extension Wsm_V1_SetRevision {
    init(_ revision: ApplySetRecord.Revision) {
        self.init()
        number = revision.number
        digest = revision.digest
        by = revision.by
        at = revision.at.nanosecondsSinceEpoch / 1_000_000_000
        summary = revision.summary
    }
}
