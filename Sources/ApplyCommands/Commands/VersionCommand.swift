internal import ArgumentParser
internal import ManagerAPI

/// `version`: of this program and of the server.
struct VersionCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Show the versions of this program and of the server.",
        discussion: """
            A server that cannot be reached is shown as such, with exit code 3.

            Examples:
              wsm-apply version
              wsm-apply version --client -o json
            """)

    @Flag(help: "Of this program only; asks no server.")
    var client = false

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        var report = VersionReport(address: session.server)
        if !client {
            do {
                report.server = .answered(
                    try await ServerConnection.with(session) { $0.serverInfo })
            } catch let failure as CommandFailure where !session.console.interruption.isTriggered {
                report.server = .failed(failure)
            }
        }
        session.print(report, as: output)
        if case .failed(let failure) = report.server { return failure.status }
        return .done
    }
}
