internal import ArgumentParser
internal import GRPCCore
internal import ManagerAPI

/// `cluster`: who is there, and who has what.
struct ClusterCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Show the members of the cluster, what they have and what moves.",
        discussion: """
            Sights and times are those of the server that is asked; what a member has it says \
            itself. -o wide shows every shard whose state is out of the ordinary.

            Exit code 0: every shard is served and every member answers; 1: not so, or somebody is \
            suspected.

            Examples:
              wsm-apply cluster
              wsm-apply cluster -o wide
              wsm-apply cluster -o json
            """)

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        var request = Wsm_V1_GetClusterRequest()
        request.brief = output == .table || output == .name
        let asked = request
        let report = try await ServerConnection.with(session, refusal: .unreachable) { server in
            ClusterReport(
                address: server.address,
                cluster: try await server.orchestrator.getCluster(
                    asked, options: ServerConnection.options(timeout: .seconds(20))))
        }
        session.print(report, as: output)
        return report.isFine ? .done : .different
    }
}
