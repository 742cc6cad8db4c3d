internal import GRPCCore
internal import ManagerAPI
internal import Spec

/// Which objects are asked for.
struct ObjectQuery: Sendable {
    private static let rows: Int32 = 500
    /// Documents are larger than rows, those of sets most of all; a page has to fit into one message.
    private static let documents: Int32 = 50
    private static let setDocuments: Int32 = 5
    private static let timeout = Duration.seconds(60)

    var kinds: [ObjectKind]
    var selector = ""
    var set = ""
    /// Rows for a table, without the manifests.
    var isBrief = false

    /// All pages of all kinds.
    func fetch(from server: ServerConnection) async throws -> [Wsm_V1_Object] {
        var objects: [Wsm_V1_Object] = []
        for kind in kinds {
            var request = Wsm_V1_ListRequest()
            request.kind = kind.rawValue
            request.labelSelector = selector
            request.set = set
            request.brief = isBrief
            let documents = kind == .connection ? Self.documents : Self.setDocuments
            request.pageSize = isBrief ? Self.rows : documents
            repeat {
                let page = try await server.orchestrator.list(
                    request, options: ServerConnection.options(timeout: Self.timeout))
                objects += page.objects
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty
        }
        return objects
    }

    /// Objects by name, and the names that are not there.
    static func fetch(
        _ references: [ObjectReference], from server: ServerConnection
    ) async throws -> (found: [Wsm_V1_Object], missing: [ObjectReference]) {
        var found: [Wsm_V1_Object] = []
        var missing: [ObjectReference] = []
        for reference in references {
            var request = Wsm_V1_GetRequest()
            request.kind = reference.kind.rawValue
            request.name = reference.name
            do {
                found.append(
                    try await server.orchestrator.get(
                        request, options: ServerConnection.options(timeout: timeout)))
            } catch let error as RPCError where error.code == .notFound {
                missing.append(reference)
            }
        }
        return (found, missing)
    }
}
