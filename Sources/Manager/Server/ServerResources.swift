import Dapr
package import Logging
import ManagerCore

extension ManagerServer {
    /// State the process holds: released when the server is.
    package struct Resources: Sendable {
        package var store: any StateStore
        package var bus: any Bus
        /// Of a member of a cluster; `nil` for a process that is alone on its store.
        package var instance: InstanceDirectory?
        var secrets: DaprSecrets?
        var lock: DataDirectoryLock?
        var closeStore: @Sendable () async throws -> Void

        package init(store: any StateStore, bus: any Bus) {
            self.store = store
            self.bus = bus
            lock = nil
            closeStore = {}
        }

        /// What the configuration names: SQLite in the data directory, alone or shared, or a sidecar's
        /// state store; topics in the process or a sidecar's broker.
        ///
        /// - Throws: a sentence that names what is missing.
        package static func open(
            _ configuration: ServerConfiguration, logger: Logger
        ) async throws -> Resources {
            let usesDapr = configuration.state == .dapr || configuration.bus == .dapr
            let sidecar =
                usesDapr ? try await DaprSidecar.open(configuration.dapr, logger: logger) : nil
            let topics = LocalBus(retention: configuration.retention)
            var resources = try await openState(configuration, sidecar, topics)
            guard let sidecar else { return resources }
            if configuration.bus == .dapr { resources.bus = try sidecar.bus(topics) }
            resources.secrets = DaprSecrets(client: sidecar.client)
            let closeStore = resources.closeStore
            resources.closeStore = {
                await sidecar.client.close()
                try await closeStore()
            }
            return resources
        }

        private static func openState(
            _ configuration: ServerConfiguration, _ sidecar: DaprSidecar?, _ topics: LocalBus
        ) async throws -> Resources {
            let (directory, id) = (configuration.dataDirectory, configuration.instanceID)
            if configuration.state == .dapr, let sidecar {
                let instance = try InstanceDirectory(dataDirectory: directory, instanceID: id)
                var resources = Resources(store: try await sidecar.stateStore(), bus: topics)
                resources.instance = instance
                return resources
            }
            guard configuration.cluster.isShared else {
                return try embedded(dataDirectory: directory, bus: topics)
            }
            return try await shared(dataDirectory: directory, instanceID: id, bus: topics)
        }

        /// SQLite in the data directory, topics in the process.
        package static func embedded(
            dataDirectory: String, bus: LocalBus = LocalBus()
        ) throws -> Resources {
            let lock = try DataDirectoryLock(directory: dataDirectory)
            let store = try SQLiteStateStore(path: dataDirectory + "/state.sqlite")
            var resources = Resources(store: store, bus: bus)
            resources.lock = lock
            resources.closeStore = { try store.close() }
            return resources
        }

        /// The same file, with other processes of this machine.
        package static func shared(
            dataDirectory: String, instanceID: String, bus: LocalBus = LocalBus()
        ) async throws -> Resources {
            let lock = try DataDirectoryLock(directory: dataDirectory, isShared: true)
            let instance = try InstanceDirectory(
                dataDirectory: dataDirectory, instanceID: instanceID)
            let store = try SQLiteStateStore(
                path: dataDirectory + "/state.sqlite", isShared: true)
            try await SharedMeta.found(store)
            var resources = Resources(store: store, bus: bus)
            resources.lock = lock
            resources.instance = instance
            resources.closeStore = { try store.close() }
            return resources
        }
    }
}

/// What has to be so before a store is shared that one process has had for itself.
enum SharedMeta {
    /// Tries of a write that others may be first with: all members start at once.
    static let tries = 20

    /// Gives the store of one process the id of a cluster. A store that has one, or is empty, stays
    /// as it is.
    ///
    /// - Throws: ``StateStoreError``.
    static func found(_ store: any StateStore) async throws {
        for _ in 0..<tries {
            guard let entry = try await store.get(Shards.metaKey),
                try ClusterCodec.isOfOneProcess(entry.value)
            else { return }
            try RecordCodec.checkMeta(entry.value)
            var generator = SystemRandomNumberGenerator()
            let meta = ClusterMeta(
                nonce: .none, clusterID: .random(using: &generator), shards: Shards.count)
            _ = await store.write([
                StateWrite(
                    key: Shards.metaKey, value: ClusterCodec.encode(.meta(meta)),
                    condition: .etag(entry.etag))
            ])
        }
        throw StateStoreError(
            message: "\(Shards.metaKey) could not be written: look at the state store")
    }
}
