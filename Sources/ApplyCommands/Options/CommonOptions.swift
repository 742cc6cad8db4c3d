internal import ArgumentParser

/// Flags that every verb has.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the server listens. Also WSM_SERVER; default 127.0.0.1:5002.",
            valueName: "host:port"))
    var server: ServerAddress?

    @Option(help: "When to colour: auto is on a terminal without NO_COLOR.")
    var color: ColorChoice = .auto

    @Flag(name: .shortAndLong, help: "Print results and errors only: no progress, no warnings.")
    var quiet = false
}

/// One run of a command: the console, and what the common flags make of it.
struct Session: Sendable {
    let console: Console
    let server: ServerAddress
    let isQuiet: Bool
    /// Of the standard output.
    let style: Style
    /// Of the standard error.
    let errorStyle: Style
    private let progressMode: ProgressLine.Mode

    /// - Throws: A ``CommandFailure`` where `WSM_SERVER` is no address.
    init(_ options: CommonOptions, on console: Console) throws {
        self.console = console
        server = try Self.address(options.server, console.environment)
        isQuiet = options.quiet
        let environment = console.environment
        style = Style(
            isColored: options.color.colors(
                isTerminal: console.outputIsTerminal, environment: environment))
        errorStyle = Style(
            isColored: options.color.colors(
                isTerminal: console.errorIsTerminal, environment: environment))
        if options.quiet {
            progressMode = .silent
        } else if console.errorIsTerminal, environment["TERM"] != "dumb" {
            progressMode = .live(width: console.width ?? 80)
        } else {
            progressMode = .plain
        }
    }

    private static func address(
        _ flag: ServerAddress?, _ environment: [String: String]
    ) throws -> ServerAddress {
        if let flag { return flag }
        guard let text = environment["WSM_SERVER"], !text.isEmpty else { return .standard }
        guard let address = ServerAddress(text) else {
            throw CommandFailure.usage("WSM_SERVER is \"\(text)\": it should be HOST:PORT")
        }
        return address
    }

    var canvas: Canvas {
        Canvas(
            style: style, width: console.outputIsTerminal ? console.width : nil,
            now: console.now())
    }

    func makeProgress() -> ProgressLine {
        ProgressLine(mode: progressMode)
    }

    func print(_ result: some Presentable, as format: OutputFormat) {
        console.output.write(result.text(as: format, on: canvas))
    }

    /// One line for people.
    func note(_ text: String) {
        if !isQuiet { console.error.line(text) }
    }

    /// One line about something that went wrong; said even when quiet.
    func complain(_ text: String) {
        console.error.line(errorStyle("error:", .removed) + " " + text)
    }

    func warn(_ text: String) {
        if !isQuiet { console.error.line(errorStyle("warning:", .changed) + " " + text) }
    }
}
