internal import ArgumentParser

/// Flags that every verb has.
struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the server listens. Also WSM_SERVER, or the context; default 127.0.0.1:5002.",
            valueName: "host:port"))
    var server: ServerAddress?

    @OptionGroup var access: AccessOptions

    @Option(help: "When to colour: auto is on a terminal without NO_COLOR.")
    var color: ColorChoice = .auto

    @Flag(name: .shortAndLong, help: "Print results and errors only: no progress, no warnings.")
    var quiet = false
}

/// One run of a command: the console, and what the common flags make of it.
struct Session: Sendable {
    let console: Console
    /// Which server, how, and why.
    let settings: ConnectionSettings
    let isQuiet: Bool
    /// Of the standard output.
    let style: Style
    /// Of the standard error.
    let errorStyle: Style
    private let progressMode: ProgressLine.Mode

    var server: ServerAddress { settings.server.value }

    /// - Throws: A ``CommandFailure`` where the server or how to enter cannot be made out.
    init(_ options: CommonOptions, on console: Console) throws {
        self.console = console
        settings = try ConnectionSettings(
            server: options.server, access: options.access, environment: console.environment)
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

    /// Before something is deleted: from where, if there is more than one server to mean.
    func nameContext() {
        guard let context = settings.context else { return }
        note("context \(TerminalText.safe(context.value)): \(server)")
    }

    func warn(_ text: String) {
        if !isQuiet { console.error.line(errorStyle("warning:", .changed) + " " + text) }
    }
}
