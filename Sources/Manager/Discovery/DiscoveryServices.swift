import GRPCCore
import ManagerAPI

/// Health and reflection over the services of the API.
enum DiscoveryServices {
    /// Full names of what the server answers, itself included; sorted.
    static let names: [String] = [
        Virtufin_WebSocketManager.descriptor, Wsm_V1_Orchestrator.descriptor,
        Grpc_Health_V1_Health.descriptor, Grpc_Reflection_V1_ServerReflection.descriptor,
        Grpc_Reflection_V1alpha_ServerReflection.descriptor,
    ].map(\.fullyQualifiedService).sorted()

    static func make(
        checks: ServerChecks, isEnding: @escaping @Sendable () -> Bool
    ) -> [any RegistrableRPCService] {
        [
            HealthService(checks: checks, services: Set(names), isEnding: isEnding),
            ReflectionV1Service(pool: .builtIn, services: names),
            ReflectionV1alphaService(pool: .builtIn, services: names),
        ]
    }
}
