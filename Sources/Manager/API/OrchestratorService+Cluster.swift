package import GRPCCore
package import ManagerAPI

// Of a server that is alone on its store. One that shares it answers by ClusterOrchestratorService.
extension OrchestratorService {
    package func getCluster(
        request: Wsm_V1_GetClusterRequest, context: ServerContext
    ) async throws -> Wsm_V1_Cluster {
        var cluster = Wsm_V1_Cluster()
        cluster.instance = server.instanceID
        return cluster
    }

    package func drain(
        request: Wsm_V1_DrainRequest, context: ServerContext
    ) async throws -> Wsm_V1_DrainResponse {
        throw Self.alone
    }

    package func callOffDrain(
        request: Wsm_V1_CallOffDrainRequest, context: ServerContext
    ) async throws -> Wsm_V1_CallOffDrainResponse {
        throw Self.alone
    }

    package func cordon(
        request: Wsm_V1_CordonRequest, context: ServerContext
    ) async throws -> Wsm_V1_CordonResponse {
        throw Self.alone
    }

    private static let alone = ManagerError(
        .failedPrecondition,
        "this server is alone on its state store: there is no other instance to hand over to")
}
