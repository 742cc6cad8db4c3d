internal import ArgumentParser
internal import GRPCCore
internal import ManagerAPI

/// `status`: how the server is.
struct StatusCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the server is: ready or not, and every check.",
        discussion: """
            Exit code 0: ready, and every check passes; 1: not ready, or a check fails, be it one \
            that readiness does not depend on.

            Examples:
              wsm-apply status
              wsm-apply status -o json
            """)

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        let report = try await ServerConnection.with(session, refusal: .unreachable) { server in
            StatusReport(
                address: server.address,
                status: try await server.orchestrator.getServerStatus(
                    Wsm_V1_GetServerStatusRequest(),
                    options: ServerConnection.options(timeout: .seconds(10))))
        }
        session.print(report, as: output)
        return report.isFine ? .done : .different
    }
}
