package import Dapr

/// What keeps the state.
package enum StateKind: String, Sendable, Hashable, CaseIterable {
    case sqlite, dapr
}

/// Where messages are published.
package enum BusKind: String, Sendable, Hashable, CaseIterable {
    case local, dapr
}

/// How a server uses its sidecar.
package struct DaprSettings: Sendable, Hashable {
    package var environment = DaprEnvironment(
        grpc: .loopback(port: DaprEnvironment.defaultGRPCPort),
        http: .loopback(port: DaprEnvironment.defaultHTTPPort))
    package var stateStoreName = "statestore"
    package var pubsubName = "pubsub"
    /// Bytes of one message that the sidecar takes.
    package var maxBodySize = DaprLimits.defaultRequestBytes
    /// How long to wait at the start for a sidecar that is not ready yet.
    package var startTimeout: Duration = .seconds(60)

    package init() {}
}
