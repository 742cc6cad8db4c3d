internal import ArgumentParser
internal import Spec

/// The root of the command line.
struct WSMApply: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wsm-apply",
        abstract: "Declare WebSocket connections in manifests and keep them as declared.",
        discussion: """
            Without a verb it applies:

              wsm-apply -f connections/             apply a directory
              wsm-apply -f connections/ --prune     and delete what is no longer in it
              wsm-apply plan -f connections/        what would happen, and which sockets are cut
              wsm-apply get                         what is there
              wsm-apply tail trades.btc             the messages of a topic
              wsm-apply history prod                what was applied, when and by whom

            The server is found by --server HOST:PORT, else by WSM_SERVER, else by the context (see \
            config), else at 127.0.0.1:5002. \
            The result goes to the standard output, everything for people to the standard error. \
            Colour and progress appear only on a terminal; NO_COLOR is obeyed.

            Exit codes:
            \(CommandStatus.table)
            """,
        version: Version.text,
        subcommands: [
            ApplyCommand.self, PlanCommand.self, DiffCommand.self, ValidateCommand.self,
            GetCommand.self, DescribeCommand.self, DeleteCommand.self, TailCommand.self,
            SendCommand.self, WaitCommand.self, EventsCommand.self, HistoryCommand.self,
            RollbackCommand.self, StatusCommand.self, ClusterCommand.self, DrainCommand.self,
            CordonCommand.self, UncordonCommand.self, ExplainCommand.self, SchemaCommand.self,
            CompletionCommand.self, ConfigCommand.self, VersionCommand.self,
        ],
        defaultSubcommand: ApplyCommand.self)
}

/// A verb: it runs in a session and answers with the exit code.
protocol ConsoleCommand: ParsableCommand {
    var common: CommonOptions { get }

    /// - Throws: A ``CommandFailure`` for everything there is to say in one sentence.
    func run(in session: Session) async throws -> CommandStatus
}
