internal import ArgumentParser
internal import FoundationEssentials
internal import GRPCCore
internal import ManagerAPI
internal import Spec

/// `send`: one message to the remote end of a connection, and its reply.
struct SendCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a message over a connection and print the reply.",
        discussion: """
            How message and reply are matched is the connection's spec.correlation. With --raw \
            the bytes are sent as they are and nothing is waited for.

            Exit codes: 1 no such connection, 2 refused message, 3 not connected, 6 no reply in time.

            Examples:
              wsm-apply send btc-trades '{"method":"ping"}'
              wsm-apply send btc-trades --raw - < subscribe.json
              wsm-apply send device --content-type application/octet-stream - < frame.bin
            """)

    /// The server has the last word on the timeout; this long after it we give up on the server.
    private static let grace = Duration.seconds(5)
    private static let maxMessageBytes = ServerConnection.maxMessageBytes - 4096

    @Argument(help: "The connection.")
    var name: String

    @Argument(help: "The message, or - for the standard input.")
    var message: String

    @Flag(help: "Send the bytes as they are and wait for nothing.")
    var raw = false

    @Option(
        help: ArgumentHelp(
            "text/* and application/json go out as text, all else as binary. Default: text/plain"
                + " for UTF-8, else application/octet-stream.",
            valueName: "type"))
    var contentType: String?

    @Option(
        help: ArgumentHelp(
            "How long to wait for the reply. Default: the connection's correlation.timeout.",
            valueName: "duration"))
    var timeout: DurationArgument?

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        let bytes =
            message == "-"
            ? try await session.console.input.readAll(limit: Self.maxMessageBytes)
            : Array(message.utf8)
        guard bytes.count <= Self.maxMessageBytes else {
            throw CommandFailure.usage("a message has at most \(Self.maxMessageBytes) bytes")
        }
        return try await ServerConnection.with(session, refusal: .unreachable) { server in
            if raw {
                try await sendRaw(bytes, on: server)
                session.note("sent \(bytes.count.counted("byte"))")
            } else {
                let reply = try await send(bytes, on: server)
                session.console.output.write(reply)
                let endsLine = reply.isEmpty || reply.last == UInt8(ascii: "\n")
                if session.console.outputIsTerminal, !endsLine { session.console.output.line("") }
            }
            return .done
        }
    }

    private func send(_ bytes: [UInt8], on server: ServerConnection) async throws -> [UInt8] {
        var request = Virtufin_SendRequest()
        request.id = name
        request.message = Data(bytes)
        request.contentType = contentType ?? Self.guess(bytes)
        var deadline: Duration?
        if let timeout = timeout?.duration {
            let (seconds, attoseconds) = timeout.components
            let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
            request.timeoutMs = Int32(clamping: max(1, milliseconds))
            deadline = timeout + Self.grace
        }
        let response = try await server.manager.send(
            request, options: ServerConnection.options(timeout: deadline))
        return [UInt8](response.response)
    }

    private func sendRaw(_ bytes: [UInt8], on server: ServerConnection) async throws {
        var request = Virtufin_SendRawRequest()
        request.id = name
        request.message = Data(bytes)
        request.contentType = contentType ?? Self.guess(bytes)
        _ = try await server.manager.sendRaw(
            request,
            options: ServerConnection.options(timeout: timeout?.duration ?? .seconds(60)))
    }

    private static func guess(_ bytes: [UInt8]) -> String {
        String(validating: bytes, as: UTF8.self) == nil ? "application/octet-stream" : "text/plain"
    }
}
