package import GRPCCore
package import ManagerAPI
import ManagerCore

extension OrchestratorService {
    package func getServerStatus(
        request: Wsm_V1_GetServerStatusRequest, context: ServerContext
    ) async throws -> Wsm_V1_ServerStatus {
        let report = checks.report
        var status = Wsm_V1_ServerStatus()
        status.ready = report.ready
        status.checks = report.checks.map(Wsm_V1_StatusCheck.init)
        return status
    }
}

extension Wsm_V1_StatusCheck {
    init(_ check: ServerChecks.Check) {
        self.init()
        name = check.name
        ok = check.ok
        reason = check.reason
        message = check.message
        advisory = check.advisory
        since = (check.since?.nanosecondsSinceEpoch ?? 0) / 1_000_000_000
    }
}
