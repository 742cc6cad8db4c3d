internal import GRPCCore
internal import SwiftProtobuf

/// What a sidecar says of itself.
package struct DaprMetadata: Sendable, Hashable {
    package struct Component: Sendable, Hashable {
        package var name: String
        /// `state.redis`, `pubsub.kafka`, …
        package var type: String
        package var version: String
        package var capabilities: Set<String>

        package init(name: String, type: String, version: String, capabilities: Set<String>) {
            self.name = name
            self.type = type
            self.version = version
            self.capabilities = capabilities
        }
    }

    /// The `--app-id`.
    package var appID: String
    package var runtimeVersion: String
    package var components: [Component]

    package init(appID: String, runtimeVersion: String, components: [Component]) {
        self.appID = appID
        self.runtimeVersion = runtimeVersion
        self.components = components
    }

    /// The components of one kind: those whose type begins with `kind` and a dot.
    package func components(ofKind kind: String) -> [Component] {
        components.filter { $0.type.hasPrefix(kind + ".") }
    }
}

extension DaprClient {
    /// - Throws: ``DaprError``.
    package func metadata(within timeout: Duration) async throws -> DaprMetadata {
        let answer = try await call("GetMetadata", within: timeout) { options in
            try await dapr.getMetadata(.init(), options: options)
        }
        return DaprMetadata(
            appID: answer.id, runtimeVersion: answer.runtimeVersion,
            components: answer.registeredComponents.map { component in
                DaprMetadata.Component(
                    name: component.name, type: component.type, version: component.version,
                    capabilities: Set(component.capabilities))
            })
    }

    /// The parts of one secret, by name; a store without parts has one under the key itself.
    ///
    /// - Throws: ``DaprError``, which never holds the secret.
    package func secret(
        _ key: String, from store: String, within timeout: Duration
    ) async throws -> [String: String] {
        var request = Dapr_Proto_Runtime_V1_GetSecretRequest()
        request.storeName = store
        request.key = key
        let message = request
        let answer = try await call("GetSecret", within: timeout) { options in
            try await dapr.getSecret(message, options: options)
        }
        return answer.data
    }
}
