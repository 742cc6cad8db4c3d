import Dapr
import Logging
import ManagerCore

/// The sidecar of a server that uses one, checked at the start.
struct DaprSidecar: Sendable {
    /// Of the calls that ask what the sidecar has.
    static let metadataTimeout: Duration = .seconds(5)

    let client: DaprClient
    private let settings: DaprSettings
    private let metadata: DaprMetadata

    /// Waits until the sidecar is ready, and asks it what it has.
    ///
    /// - Throws: a sentence that an operator can act on.
    static func open(_ settings: DaprSettings, logger: Logger) async throws -> DaprSidecar {
        let health = SidecarHealth(settings.environment)
        do {
            do {
                try await health.check()
            } catch let error as DaprError {
                logger.info(
                    "waiting for the Dapr sidecar",
                    metadata: ["cause": "\(error)", "timeout": "\(settings.startTimeout)"])
                try await health.waitUntilReady(for: settings.startTimeout)
            }
            let client = try DaprClient(
                DaprConfiguration(
                    environment: settings.environment, maxRequestBytes: settings.maxBodySize))
            let metadata = try await client.metadata(within: metadataTimeout)
            logger.info(
                "the Dapr sidecar is ready",
                metadata: [
                    "dapr_app_id": "\(metadata.appID)",
                    "dapr_version": "\(metadata.runtimeVersion)",
                ])
            return DaprSidecar(client: client, settings: settings, metadata: metadata)
        } catch let error as DaprError {
            throw ServerConfiguration.Invalid(
                description: "\(error) (--dapr-grpc-port, --dapr-http-port, --dapr-start-timeout)")
        }
    }

    private init(client: DaprClient, settings: DaprSettings, metadata: DaprMetadata) {
        self.client = client
        self.settings = settings
        self.metadata = metadata
    }

    /// - Throws: ``StateStoreError`` if the component is missing, or cannot hold ownership.
    func stateStore() async throws -> DaprStateStore {
        let component = try DaprStateStore.component(
            named: settings.stateStoreName, of: metadata)
        let store = DaprStateStore(client: client, component: component)
        try await store.tryOut()
        return store
    }

    /// - Parameter topics: where subscribers read what the broker has taken.
    /// - Throws: a sentence if the component is missing.
    func bus(_ topics: LocalBus) throws(ServerConfiguration.Invalid) -> DaprBus {
        let known = metadata.components(ofKind: "pubsub")
        guard known.contains(where: { $0.name == settings.pubsubName }) else {
            let others =
                known.isEmpty
                ? "it has none" : "it has " + known.map(\.name).sorted().joined(separator: ", ")
            throw ServerConfiguration.Invalid(
                description: "the Dapr sidecar has no pub/sub component \(settings.pubsubName) "
                    + "(--pubsub-name): \(others)")
        }
        return DaprBus(client: client, pubsub: settings.pubsubName, topics: topics)
    }
}
