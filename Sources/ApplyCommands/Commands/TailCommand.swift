internal import ArgumentParser
internal import GRPCCore
internal import ManagerAPI
internal import Spec

/// `tail`: the messages of a topic as they come.
struct TailCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Print the messages of a topic as they come.",
        discussion: """
            Ends after --count messages, on Ctrl-C (exit code 130), or when the server goes (3). \
            A reader too slow for the topic is told on the standard error how many messages it \
            missed; so is one that began after the oldest message still held.

            Examples:
              wsm-apply tail trades.btc
              wsm-apply tail trades.btc --from oldest --count 10 --timestamps
              wsm-apply tail trades.btc --output json | jq .sequence
            """)

    /// Where to begin.
    enum Start: String, CaseIterable, ExpressibleByArgument, Sendable {
        case newest, oldest
    }

    @Argument(help: "The topic.")
    var topic: String

    @Option(help: "Begin with the next message, or with the oldest one still held.")
    var from: Start = .newest

    @Option(help: ArgumentHelp("End after so many messages.", valueName: "n"))
    var count: Int?

    @Option(
        name: .shortAndLong,
        help:
            "text: one line a message; json: one JSON object a line; raw: the bytes, nothing else.")
    var output: MessageFormat = .text

    @Flag(help: "Put the time each message was received before it.")
    var timestamps = false

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is at least 1") }
        if let problem = TopicName.problem(topic) { throw ValidationError(problem) }
    }

    func run(in session: Session) async throws -> CommandStatus {
        let printer = MessagePrinter(
            format: output, withTimes: timestamps, limit: count, session: session)
        var request = Wsm_V1_SubscribeRequest()
        request.topic = topic
        request.start = from == .newest ? .newest : .oldest
        do {
            return try await ServerConnection.with(session, refusal: .unreachable) { server in
                try await tail(request, on: server, printer)
            }
        } catch  where session.console.interruption.isTriggered {
            session.note("interrupted after \(printer.printed.counted("message"))")
            return .interrupted
        }
    }

    private func tail(
        _ request: Wsm_V1_SubscribeRequest, on server: ServerConnection, _ printer: MessagePrinter
    ) async throws -> CommandStatus {
        let isEnough = try await server.orchestrator.subscribe(
            request, options: ServerConnection.options()
        ) { response in
            for try await batch in response.messages {
                if printer.print(batch) { return true }
            }
            return false
        }
        guard isEnough else {
            throw CommandFailure(
                .unreachable,
                "the server at \(server.address) ended the topic after"
                    + " \(printer.printed.counted("message"))")
        }
        return .done
    }
}
