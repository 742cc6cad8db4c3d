import GRPCCore
import ManagerAPI

/// Health and reflection over the services of the API.
enum DiscoveryServices {
    /// Full names of what the server answers, itself included; sorted.
    static let names: [String] =
        ([
            Virtufin_WebSocketManager.descriptor, Wsm_V1_Orchestrator.descriptor,
            Grpc_Health_V1_Health.descriptor,
        ] + ReflectionService.names).map(\.fullyQualifiedService).sorted()

    static func make(
        checks: ServerChecks, isEnding: @escaping @Sendable () -> Bool
    ) -> [any RegistrableRPCService] {
        [
            HealthService(checks: checks, services: Set(names), isEnding: isEnding),
            ReflectionService(pool: .builtIn, services: names),
        ]
    }
}
