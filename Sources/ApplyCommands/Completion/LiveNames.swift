internal import ManagerAPI
internal import Spec

/// Asks the server for names, for a shell that waits: soon, silently, and never at any cost.
struct LiveNames: Sendable {
    /// Time for everything together; a shell that hangs at a key is worse than one without names.
    static let deadline = Duration.milliseconds(900)
    /// Names of a shell's list; nobody reads more.
    private static let maxNames = 5_000
    private static let lifecycleTopic = "websocketmanager.lifecycle"

    let session: Session

    /// The names there are; none where the server cannot be asked in time.
    func names(_ sources: [CompletionPlan.Live]) async -> [String] {
        guard !sources.isEmpty else { return [] }
        return await withTaskGroup(of: [String].self) { group in
            group.addTask {
                let found = try? await ServerConnection.with(session) { server in
                    var names: [String] = []
                    for source in sources { names += try await ask(source, server) }
                    return names
                }
                return found ?? []
            }
            group.addTask {
                try? await session.console.sleep(Self.deadline)
                return []
            }
            defer { group.cancelAll() }
            return await group.next() ?? []
        }
    }

    private func ask(
        _ source: CompletionPlan.Live, _ server: ServerConnection
    ) async throws -> [String] {
        switch source {
        case .objects(let kind, let prefix):
            try await list([kind], server).map { prefix + $0.name }
        case .topics:
            Set(try await list([.connection], server).map(\.topic) + [Self.lifecycleTopic])
                .filter { !$0.isEmpty }.sorted()
        case .sets:
            Set(try await list(ObjectKind.all, server).map(\.set)).filter { !$0.isEmpty }.sorted()
        case .instances:
            try await instances(server)
        }
    }

    private func instances(_ server: ServerConnection) async throws -> [String] {
        var request = Wsm_V1_GetClusterRequest()
        request.brief = true
        return try await server.orchestrator.getCluster(
            request, options: ServerConnection.options()
        ).members.map(\.instance)
    }

    private func list(
        _ kinds: [ObjectKind], _ server: ServerConnection
    ) async throws -> [Wsm_V1_Object] {
        var objects: [Wsm_V1_Object] = []
        for kind in kinds {
            var request = Wsm_V1_ListRequest()
            request.kind = kind.rawValue
            request.brief = true
            request.pageSize = 1_000
            repeat {
                let page = try await server.orchestrator.list(
                    request, options: ServerConnection.options())
                objects += page.objects
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty && objects.count < Self.maxNames
        }
        return objects
    }
}
