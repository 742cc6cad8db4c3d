package import GRPCCore
package import GRPCInProcessTransport

/// All that the HTTP side asks of the rest of the program.
package struct GatewayPorts: Sendable {
    /// Onto the services of this process; its server has the interceptor of ``calls`` first.
    package var client: GRPCClient<InProcessTransport.Client>
    package var calls: GatewayCalls
    /// Asked before every call and page but the probes.
    package var authorize: @Sendable (GatewayRequestFacts) async -> GatewayAdmission
    /// A page in Prometheus' text format, version 0.0.4.
    package var metrics: @Sendable () -> String
    package var readiness: @Sendable () async -> ReadinessReport

    package init(
        client: GRPCClient<InProcessTransport.Client>, calls: GatewayCalls,
        authorize: @Sendable @escaping (GatewayRequestFacts) async -> GatewayAdmission = { _ in
            .admitted(Metadata())
        },
        metrics: @Sendable @escaping () -> String,
        readiness: @Sendable @escaping () async -> ReadinessReport
    ) {
        self.client = client
        self.calls = calls
        self.authorize = authorize
        self.metrics = metrics
        self.readiness = readiness
    }
}

/// Who asks for what.
package struct GatewayRequestFacts: Sendable {
    /// `wsm.v1.Orchestrator/Apply`, or of a page: see ``GatewayPage``.
    package var method: String
    /// The header `Authorization`.
    package var authorization: String?
    /// The caller's certificate, checked by TLS, as DER.
    package var peerCertificate: [UInt8]?
    /// The caller's address and port.
    package var address: String
}

/// Whether a caller may.
package enum GatewayAdmission: Sendable {
    /// With the metadata that tells the services who it is.
    case admitted(Metadata)
    /// Not known; the sentence says what is missing.
    case unauthenticated(String)
    /// Known, but may not.
    case permissionDenied(String)
}

/// Names under which pages are authorized; each needs `read` where callers are known.
package enum GatewayPage {
    package static let metrics = "http/metrics"
    package static let readinessVerbose = "http/readyz-verbose"
    /// Of the index too, which says less.
    package static let openAPI = "http/openapi"

    package static let all = [metrics, readinessVerbose, openAPI]
}

/// How the server is.
package struct ReadinessReport: Sendable, Hashable {
    package var isReady: Bool
    package var checks: [Check]

    package struct Check: Sendable, Hashable {
        package var name: String
        package var isOK: Bool
        package var reason: String
        package var message: String
        /// Readiness does not depend on it.
        package var isAdvisory: Bool

        package init(
            name: String, isOK: Bool, reason: String, message: String, isAdvisory: Bool
        ) {
            self.name = name
            self.isOK = isOK
            self.reason = reason
            self.message = message
            self.isAdvisory = isAdvisory
        }
    }

    package init(isReady: Bool, checks: [Check]) {
        self.isReady = isReady
        self.checks = checks
    }
}
