package import ManagerCore
package import Reconciler
import Spec

/// What a server is started with. Only the program reads flags and environment.
package struct ServerConfiguration: Sendable {
    /// The address both ports bind to.
    package var bind = "127.0.0.1"
    /// 0 takes a free one.
    package var grpcPort = 5002
    /// Of HTTP/JSON, gRPC-Web, probes and metrics; 0 takes a free one.
    package var httpPort = 5001
    /// Origins, and names for `Host`, that the HTTP port answers beside its own.
    package var allowedOrigins: [String] = []
    /// PEM files of the server's own certificate chain and key, for both ports.
    package var tlsCertificatePath: String?
    package var tlsKeyPath: String?
    /// Who may enter: one token a line, see the page on access.
    package var tokenFile: String?
    /// PEM file of the authorities that callers' certificates come from.
    package var clientCAPath: String?
    /// The secret that the instances of a cluster share.
    package var peerTokenFile: String?
    /// PEM file of the authorities that certificates of other instances come from.
    package var peerCAPath: String?
    /// Lets a server beyond loopback run without knowing its callers.
    package var isInsecure = false
    /// Address ranges that may be dialled beyond what the egress guard allows by itself.
    package var allowedCIDRs: [String] = []
    /// The directory that is the truth for the set ``manifestsSet``.
    package var manifestsDirectory: String?
    package var manifestsSet = "manifests"
    /// What connections made by the imperative API get.
    package var apiDefaults = APIConnectionDefaults()
    package var state = StateKind.sqlite
    package var bus = BusKind.local
    /// Used where ``state`` or ``bus`` is Dapr.
    package var dapr = DaprSettings()
    /// State, and the lock that keeps a second process off it.
    package var dataDirectory: String
    package var instanceID: String
    /// The message buffers of all connections together, in bytes; what topics keep is beside it.
    package var bufferLimit = 1 << 30
    /// What each topic keeps for its subscribers.
    package var retention = TopicRetention()
    /// See ``ReadCoalescing``.
    package var readCoalescing: Duration = .microseconds(300)
    /// For the orderly end: buffers published, closing handshakes done.
    package var drainTimeout: Duration = .seconds(10)
    package var secretsDirectory: String?
    package var secretEnvironmentPrefix = "WSM_SECRET_"
    package var environment: [String: String] = [:]
    package var reconciler = ReconcilerConfiguration()
    package var cluster = ClusterSettings()

    package init(dataDirectory: String, instanceID: String) {
        self.dataDirectory = dataDirectory
        self.instanceID = instanceID
    }

    /// Defaults of connections made by `Connect`; `nil` is what a manifest's default is.
    package struct APIConnectionDefaults: Sendable, Hashable {
        /// Dials in a row before giving up; 0 is for ever.
        package var maxAttempts: Int?
        /// `auto_reconnect` is taken as off, whatever the caller says.
        package var neverReconnects = false
        package var reconnectBase: Duration?
        /// Of a Send that names no timeout.
        package var sendTimeout: Duration?

        package init() {}
    }

    package struct Invalid: Error, CustomStringConvertible {
        package var description: String
    }

    /// - Throws: ``Invalid`` naming the flag.
    package func validate() throws(Invalid) {
        guard (0...65_535).contains(grpcPort) else {
            throw Invalid(description: "--grpc-port is \(grpcPort): it must be 1 to 65535")
        }
        guard (0...65_535).contains(httpPort) else {
            throw Invalid(description: "--http-port is \(httpPort): it must be 1 to 65535")
        }
        guard httpPort != grpcPort || grpcPort == 0 else {
            throw Invalid(
                description: "--http-port and --grpc-port are both \(grpcPort): each needs a port "
                    + "of its own")
        }
        try validateAccess()
        _ = try egressPolicy()
        try validateManifests()
        try cluster.validate()
        guard bufferLimit >= 1 << 20 else {
            throw Invalid(description: "--buffer-limit must be at least 1MiB")
        }
        guard retention.replay.messages > 0, retention.replay.bytes > 0 else {
            throw Invalid(description: "--replay-messages and --replay-bytes must be above 0")
        }
        guard reconciler.dialRate > 0, reconciler.dialBurst > 0, reconciler.dialConcurrency > 0
        else {
            throw Invalid(
                description: "--dial-rate, --dial-burst and --dial-concurrency must be above 0")
        }
        guard !instanceID.isEmpty, instanceID.utf8.count <= 253 else {
            throw Invalid(description: "--instance-id must have 1 to 253 characters")
        }
    }
}

extension ServerConfiguration {
    /// Other instances share the state store.
    package var hasPeers: Bool { cluster.isShared || state == .dapr }

    /// Where messages that have no room in memory wait (`buffer.overflow: spill`). A data directory
    /// that is not this server's alone has a part for each instance.
    var spillDirectory: String {
        let isAlone = state == .sqlite && !cluster.isShared
        return isAlone
            ? dataDirectory + "/spill"
            : dataDirectory + "/instances/\(InstanceDirectory.fileName(instanceID))/spill"
    }

    /// Nobody but this host reaches the ports.
    package var isBoundToLoopback: Bool {
        bind == "localhost" || IPAddress(bind).map { AddressClass($0) == .loopback } ?? false
    }

    /// What the egress guard goes by.
    /// - Throws: ``Invalid`` for a range of `--allow-cidr` that is none or can have no effect.
    package func egressPolicy() throws(Invalid) -> EgressPolicy {
        var policy = EgressPolicy(isBoundToLoopback: isBoundToLoopback)
        for text in allowedCIDRs {
            let range: IPRange
            do {
                range = try IPRange(text)
            } catch {
                throw Invalid(description: "--allow-cidr \(text): \(error)")
            }
            let addressClass = AddressClass(range.first)
            guard !addressClass.isAlwaysRefused || AddressClass(range.last) != addressClass else {
                throw Invalid(
                    description: "--allow-cidr \(text): \(addressClass.word) addresses are never "
                        + "dialled")
            }
            policy.allowedRanges.append(range)
        }
        return policy
    }

    private func validateManifests() throws(Invalid) {
        guard let directory = manifestsDirectory else { return }
        guard !directory.isEmpty else {
            throw Invalid(description: "--manifests is empty: it names a directory")
        }
        if let problem = ObjectName.problem(manifestsSet) {
            throw Invalid(description: "--manifests-set: \(problem)")
        }
    }
}
