internal import ArgumentParser
internal import FoundationEssentials
internal import GRPCCore
internal import ManagerAPI
internal import Spec

/// `events`: what happened to connections.
struct EventsCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened to connections: connected, reconnecting, errors, gaps.",
        discussion: """
            Without --watch: the events the server still holds, oldest first. With it: those from now \
            on, or with --replay those still held before them, until Ctrl-C (exit code 130). -o \
            ndjson prints one CloudEvent a line.

            Examples:
              wsm-apply events btc-trades
              wsm-apply events --watch
              wsm-apply events --watch --replay -o ndjson | jq .type
            """)

    @Argument(help: ArgumentHelp("Only of this connection.", valueName: "name"))
    var connection: String?

    @Flag(name: .shortAndLong, help: "Go on with those that come.")
    var watch = false

    @Flag(help: "With --watch: begin with the events still held.")
    var replay = false

    @Option(
        name: .shortAndLong,
        help: "table: one line an event; ndjson: one CloudEvent a line; json: one document.")
    var output: EventFormat = .table

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if watch, output == .json {
            throw ValidationError("-o json is one document at the end; with --watch use -o ndjson")
        }
        if replay, !watch {
            throw ValidationError(
                "--replay goes with --watch; without it all held events are shown")
        }
        if let connection, let problem = ObjectName.problem(connection) {
            throw ValidationError("\"\(connection)\" is no name: \(problem)")
        }
    }

    func run(in session: Session) async throws -> CommandStatus {
        let printer = EventPrinter(format: output, session: session)
        var request = Wsm_V1_EventsRequest()
        request.connection = connection ?? ""
        request.replay = replay || !watch
        request.onlyHeld = !watch
        let sent = request
        do {
            try await ServerConnection.with(session, refusal: .unreachable) { server in
                try await show(sent, from: server, printer)
            }
        } catch  where session.console.interruption.isTriggered {
            session.note("interrupted after \(printer.printed.counted("event"))")
            return .interrupted
        }
        printer.finish()
        return .done
    }

    private func show(
        _ request: Wsm_V1_EventsRequest, from server: ServerConnection, _ printer: EventPrinter
    ) async throws {
        let isEnough = try await server.orchestrator.events(
            request, options: ServerConnection.options()
        ) { response in
            for try await batch in response.messages {
                if printer.print(batch) { return true }
            }
            return false
        }
        guard isEnough || !watch else {
            throw CommandFailure(
                .unreachable,
                "the server at \(server.address) ended the events after"
                    + " \(printer.printed.counted("event"))")
        }
    }
}
