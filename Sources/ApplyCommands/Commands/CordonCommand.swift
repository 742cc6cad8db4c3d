internal import ArgumentParser
internal import GRPCCore
internal import ManagerAPI

/// `cordon`: an instance takes no shard more.
struct CordonCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "cordon",
        abstract: "Let an instance take nothing more; what it has it keeps.",
        discussion: """
            Before a drain, or to keep an instance that is looked into as it is. It lasts until \
            uncordon, or until the instance ends.

            Examples:
              wsm-apply cordon wsm-2
            """)

    @Argument(help: ArgumentHelp("As in the table of cluster.", valueName: "instance"))
    var instance: String

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        try await Cordon(instance: instance, isWanted: true).run(in: session)
    }
}

/// `uncordon`: an instance takes shards again.
struct UncordonCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "uncordon",
        abstract: "Let an instance take its share again.",
        discussion: """
            Examples:
              wsm-apply uncordon wsm-2
            """)

    @Argument(help: ArgumentHelp("As in the table of cluster.", valueName: "instance"))
    var instance: String

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        try await Cordon(instance: instance, isWanted: false).run(in: session)
    }
}

private struct Cordon {
    let instance: String
    let isWanted: Bool

    func run(in session: Session) async throws -> CommandStatus {
        session.nameContext()
        return try await ServerConnection.with(session, refusal: .conflict) { server in
            var request = Wsm_V1_CordonRequest()
            request.instance = instance
            request.cordoned = isWanted
            _ = try await server.orchestrator.cordon(
                request, options: ServerConnection.options(timeout: .seconds(20)))
            session.note("\(TerminalText.safe(instance)) \(isWanted ? "cordoned" : "uncordoned")")
            return .done
        }
    }
}
