package import GRPCCore
package import ManagerAPI

/// `grpc.health.v1`: whether the server is ready, for the server as a whole and under the name of
/// each service it has. It tells nothing else, so it may be asked by anybody.
package struct HealthService: Grpc_Health_V1_Health.SimpleServiceProtocol {
    private let checks: ServerChecks
    private let services: Set<String>
    private let isEnding: @Sendable () -> Bool

    /// - Parameters:
    ///   - services: full names that may be asked about.
    ///   - isEnding: the orderly end of the process has begun.
    package init(
        checks: ServerChecks, services: Set<String>, isEnding: @escaping @Sendable () -> Bool
    ) {
        self.checks = checks
        self.services = services
        self.isEnding = isEnding
    }

    package func check(
        request: Grpc_Health_V1_HealthCheckRequest, context: ServerContext
    ) async throws -> Grpc_Health_V1_HealthCheckResponse {
        guard isKnown(request.service) else {
            throw ManagerError(.notFound, "there is no service \(request.service)")
        }
        return Self.response(checks.report.ready ? .serving : .notServing)
    }

    /// The state now, then each change of it. A service that is not there stays so, since services
    /// are what the program was built with; the call stays open, as the contract has it.
    package func watch(
        request: Grpc_Health_V1_HealthCheckRequest,
        response: RPCWriter<Grpc_Health_V1_HealthCheckResponse>, context: ServerContext
    ) async throws {
        let known = isKnown(request.service)
        try await endingWithCaller(context, isEnding: isEnding) {
            var last: Grpc_Health_V1_HealthCheckResponse.ServingStatus?
            for await report in checks.reports() {
                let status: Grpc_Health_V1_HealthCheckResponse.ServingStatus =
                    known ? (report.ready ? .serving : .notServing) : .serviceUnknown
                guard status != last else { continue }
                last = status
                try await response.write(Self.response(status))
            }
            throw ManagerError(.unavailable, "the server is going away")
        }
    }

    private func isKnown(_ service: String) -> Bool {
        service.isEmpty || services.contains(service)
    }

    private static func response(
        _ status: Grpc_Health_V1_HealthCheckResponse.ServingStatus
    ) -> Grpc_Health_V1_HealthCheckResponse {
        var response = Grpc_Health_V1_HealthCheckResponse()
        response.status = status
        return response
    }
}
