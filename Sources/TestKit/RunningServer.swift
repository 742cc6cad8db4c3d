package import Feed
import GRPCCore
package import GRPCNIOTransportHTTP2Posix
import Logging
package import Manager
package import ManagerAPI
package import ManagerCore
import Spec

/// A whole server inside the test process, on free ports, with a client for both services.
///
///     let running = try await RunningServer.start()
///     try await running.apply([manifest])
///     await running.stop()
package final class RunningServer: Sendable {
    package typealias Transport = HTTP2ClientTransport.Posix

    package let server: ManagerServer
    package let manager: Virtufin_WebSocketManager.Client<Transport>
    package let orchestrator: Wsm_V1_Orchestrator.Client<Transport>
    private let client: GRPCClient<Transport>
    private let connections: Task<Void, Never>
    private let directory: TemporaryDirectory?

    private init(
        server: ManagerServer, client: GRPCClient<Transport>, directory: TemporaryDirectory?
    ) {
        self.server = server
        self.client = client
        self.directory = directory
        manager = Virtufin_WebSocketManager.Client(wrapping: client)
        orchestrator = Wsm_V1_Orchestrator.Client(wrapping: client)
        connections = Task { try? await client.runConnections() }
    }

    /// Starts over a store in memory, unless told otherwise.
    ///
    /// - Parameters:
    ///   - dataDirectory: SQLite in that directory instead of `store`.
    ///   - isMember: as one of a cluster that shares `store`.
    ///   - configure: The resync of 30 s and all limits are the product's unless changed here.
    package static func start(
        store: any StateStore = InMemoryStateStore(), bus: any Bus = LocalBus(),
        dataDirectory: String? = nil, isMember: Bool = false, clock: ManagerClock = .system,
        configure: (inout ServerConfiguration) -> Void = { _ in }
    ) async throws -> RunningServer {
        let directory = dataDirectory == nil ? try TemporaryDirectory() : nil
        var configuration = ServerConfiguration(
            dataDirectory: dataDirectory ?? directory?.path ?? "", instanceID: "test-instance")
        configuration.grpcPort = 0
        configuration.httpPort = 0
        configuration.drainTimeout = .seconds(5)
        configuration.cluster.isShared = isMember
        configure(&configuration)
        var resources =
            if let dataDirectory {
                try ManagerServer.Resources.embedded(dataDirectory: dataDirectory)
            } else {
                ManagerServer.Resources(store: store, bus: bus)
            }
        if isMember {
            resources.instance = try InstanceDirectory(
                dataDirectory: configuration.dataDirectory, instanceID: configuration.instanceID)
        }
        var logger = Logger(label: "wsm-test", factory: { _ in SwiftLogNoOpLogHandler() })
        logger.logLevel = .critical
        let server = try await ManagerServer.start(
            configuration, resources: resources, version: "test", logger: logger, clock: clock)
        let client = GRPCClient(
            transport: try .http2NIOPosix(
                target: .ipv4(address: "127.0.0.1", port: server.grpcPort),
                transportSecurity: .plaintext))
        return RunningServer(server: server, client: client, directory: directory)
    }

    /// The orderly end.
    ///
    /// - Returns: messages that could not be published.
    @discardableResult
    package func stop() async -> Int {
        client.beginGracefulShutdown()
        let lost = await server.stop()
        connections.cancel()
        await connections.value
        return lost
    }

    // MARK: What is there

    package func observed(_ name: String) -> ObservedConnection? { server.fleet.observe(name) }

    package func desired(_ name: String) -> DesiredConnection? { server.store.desired(name) }

    /// Desired and observed together, as the API shows them.
    package func status(_ name: String) -> ConnectionStatus? {
        desired(name).map {
            ConnectionStatus(
                desired: $0, observed: observed(name), now: ManagerClock.system.wallTime())
        }
    }

    package func isReady(_ name: String) -> Bool { status(name)?.ready.status == .yes }

    /// Waits until every one of these is Ready.
    package func ready(_ names: String..., within limit: Duration = .seconds(20)) async -> Bool {
        await eventually(within: limit) { names.allSatisfy { isReady($0) } }
    }

    // MARK: Apply

    package struct Applied: Sendable {
        package var results: [Wsm_V1_ObjectResult] = []
        package var summary = Wsm_V1_ApplySummary()

        package init() {}
    }

    package struct NotCompiled: Error, CustomStringConvertible {
        package var description: String
    }

    /// Applies YAML through gRPC, as `wsm-apply` does.
    @discardableResult
    package func apply(
        _ yaml: String..., set: String = "default",
        _ edit: (inout Wsm_V1_ApplyHeader) -> Void = { _ in }
    ) async throws -> Applied {
        let compilation = ManifestCompiler.compile(
            yaml.enumerated().map {
                ManifestSource(name: "test\($0.offset).yaml", bytes: Array($0.element.utf8))
            })
        guard !compilation.hasErrors else {
            throw NotCompiled(
                description: compilation.diagnostics.map { "\($0)" }.joined(separator: "\n"))
        }
        var header = Wsm_V1_ApplyHeader()
        header.set = set
        header.appliedBy = "tester@here"
        edit(&header)
        return try await apply(
            compilation.objects.map { ($0.canonical, "\($0.position)") }, header: header)
    }

    /// Applies documents as they are.
    package func apply(
        _ documents: [(json: [UInt8], origin: String)], header: Wsm_V1_ApplyHeader
    ) async throws -> Applied {
        var chunk = Wsm_V1_ApplyChunk()
        chunk.documents = documents.map { json, origin in
            var document = Wsm_V1_ManifestDocument()
            document.json.append(contentsOf: json)
            document.origin = origin
            return document
        }
        let sent = chunk
        return try await orchestrator.apply(
            requestProducer: { writer in
                var first = Wsm_V1_ApplyRequest()
                first.header = header
                try await writer.write(first)
                guard !sent.documents.isEmpty else { return }
                var second = Wsm_V1_ApplyRequest()
                second.chunk = sent
                try await writer.write(second)
            },
            onResponse: { response in
                var applied = Applied()
                for try await message in response.messages {
                    switch message.part {
                    case .results(let chunk): applied.results += chunk.results
                    case .summary(let summary): applied.summary = summary
                    case nil: break
                    }
                }
                return applied
            })
    }
}

/// A manifest of one connection, from its `spec` in YAML.
///
/// - Parameter spec: Lines as they stand below `spec:`, without indentation of their own.
package func manifest(_ name: String, _ spec: String, metadata: String = "") -> String {
    let indented = spec.split(separator: "\n", omittingEmptySubsequences: false)
        .map { "  \($0)" }.joined(separator: "\n")
    return """
        apiVersion: wsm.virtufin.com/v1
        kind: Connection
        metadata: {name: \(name)\(metadata.isEmpty ? "" : ", " + metadata)}
        spec:
        \(indented)

        """
}

extension FeedServer {
    /// The URL of one of its paths.
    package func url(_ path: String, scheme: String = "ws", host: String = "127.0.0.1") -> String {
        "\(scheme)://\(host):\(port)\(path)"
    }
}
