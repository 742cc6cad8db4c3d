internal import ArgumentParser
internal import FoundationEssentials
internal import GRPCCore
internal import ManagerAPI
internal import Spec
private import Synchronization

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
        help: "text: one line a message; json: one JSON object a line; raw: the bytes, nothing else.")
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
        } catch where session.console.interruption.isTriggered {
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

/// How `tail` prints a message.
enum MessageFormat: String, CaseIterable, ExpressibleByArgument, Sendable {
    case text, json, raw
}

/// Prints batches of messages until there are enough.
final class MessagePrinter: Sendable {
    private let format: MessageFormat
    private let withTimes: Bool
    private let limit: Int?
    private let session: Session
    private let count = Mutex(0)

    init(format: MessageFormat, withTimes: Bool, limit: Int?, session: Session) {
        self.format = format
        self.withTimes = withTimes
        self.limit = limit
        self.session = session
    }

    /// Messages printed so far.
    var printed: Int { count.withLock { $0 } }

    /// - Returns: Whether that is enough: the count is full, or nobody reads any more.
    func print(_ batch: Wsm_V1_SubscribeResponse) -> Bool {
        if batch.missed > 0 {
            session.console.error.line("gap: \(batch.missed.counted("message")) missed")
        }
        let room = limit.map { $0 - printed } ?? Int.max
        var bytes: [UInt8] = []
        for message in batch.messages.prefix(room) { append(message, to: &bytes) }
        session.console.output.write(bytes)
        let total = count.withLock { count in
            count += min(room, batch.messages.count)
            return count
        }
        return session.console.output.isClosed || total >= limit ?? Int.max
    }

    private func append(_ message: Wsm_V1_TopicMessage, to bytes: inout [UInt8]) {
        let time = withTimes && format != .json ? message.time + " " : ""
        bytes += session.style(time, .faint).utf8
        switch format {
        case .raw:
            bytes += message.data
        case .json:
            bytes += MessageJSON.object(message).serialized() + [UInt8(ascii: "\n")]
        case .text:
            bytes += text(message).utf8
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    /// The payload as text; base64 where it is none. A terminal gets no control characters.
    private func text(_ message: Wsm_V1_TopicMessage) -> String {
        guard message.contentType != "application/octet-stream",
            let text = String(validating: message.data, as: UTF8.self)
        else { return "base64:" + message.data.base64EncodedString() }
        return session.console.outputIsTerminal ? TerminalText.safe(text, keeping: ["\t", "\n"]) : text
    }
}

/// A message of a topic as one JSON object.
enum MessageJSON {
    static func object(_ message: Wsm_V1_TopicMessage) -> JSONValue {
        var object = JSONObjectBuilder()
        object.number("position", message.position)
        object.text("id", message.id)
        object.text("type", message.type)
        object.text("source", message.source)
        object.text("time", message.time)
        object.text("connection", message.connection)
        object.text("url", message.url)
        object.number("epoch", message.epoch)
        object.number("sequence", message.sequence)
        object.text("contentType", message.contentType)
        if message.contentType != "application/octet-stream",
            let text = String(validating: message.data, as: UTF8.self)
        {
            object.text("data", text)
        } else {
            object.text("dataBase64", message.data.base64EncodedString())
        }
        return object.object
    }
}
