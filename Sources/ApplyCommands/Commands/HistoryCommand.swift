internal import ArgumentParser
internal import FoundationEssentials
internal import GRPCCore
internal import ManagerAPI
internal import Spec

/// `history`: the revisions of an apply set.
struct HistoryCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show what was done to an apply set, when and by whom.",
        discussion: """
            A revision is made by every apply, rollback or delete that changes the set. --revision \
            shows the manifests the set had then; as yaml they can be applied again.

            Examples:
              wsm-apply history prod
              wsm-apply history prod --revision 7 > before.yaml
              wsm-apply history prod -o json
            """)

    private static let timeout = Duration.seconds(60)

    @Argument(help: ArgumentHelp("The apply set.", valueName: "set"))
    var set = "default"

    @Option(help: ArgumentHelp("Show the manifests of this revision.", valueName: "n"))
    var revision: Int64?

    @Option(
        name: .shortAndLong,
        help: "The form of the result. With --revision the default is yaml.")
    var output: OutputFormat?

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let problem = ObjectName.problem(set) {
            throw ValidationError("\"\(set)\" is no name: \(problem)")
        }
        if let revision, revision < 1 { throw ValidationError("--revision is at least 1") }
    }

    func run(in session: Session) async throws -> CommandStatus {
        guard let revision else {
            let answer = try await ServerConnection.with(session) { server in
                try await server.orchestrator.getHistory(
                    request(), options: ServerConnection.options(timeout: Self.timeout))
            }
            session.print(
                HistoryReport(set: set, revisions: answer.revisions), as: output ?? .table)
            return .done
        }
        let objects = try await ServerConnection.with(session, refusal: .different) { server in
            try await manifests(of: revision, on: server)
        }
        session.print(ObjectReport(objects: objects), as: output ?? .yaml)
        return .done
    }

    private func request() -> Wsm_V1_GetHistoryRequest {
        var request = Wsm_V1_GetHistoryRequest()
        request.set = set
        return request
    }

    private func manifests(
        of revision: Int64, on server: ServerConnection
    ) async throws -> [Wsm_V1_Object] {
        var request = request()
        request.revision = revision
        var objects: [Wsm_V1_Object] = []
        repeat {
            let page = try await server.orchestrator.getHistory(
                request, options: ServerConnection.options(timeout: Self.timeout))
            objects += page.manifests.map { manifest in
                let json = try? JSONValue.parse([UInt8](manifest))
                var object = Wsm_V1_Object()
                object.kind = json?["kind"]?.text ?? ""
                object.name = json?["metadata"]?["name"]?.text ?? ""
                object.set = set
                object.json = manifest
                return object
            }
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        return objects
    }
}
