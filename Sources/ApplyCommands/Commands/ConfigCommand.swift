internal import ArgumentParser

/// `config`: which server is meant, and why.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show and choose the server to talk to.",
        discussion: """
            Contexts are kept in contexts.yaml below $XDG_CONFIG_HOME/wsm, or in the file that \
            WSM_CONFIG names:

              currentContext: prod
              contexts:
                prod:
                  server: wsm.example.com:5002
                  ca: prod-ca.pem
                  tokenFile: prod.token

            A context may have server, ca, cert, key, tokenFile and tls; paths are relative to the \
            file. A flag wins over the environment, that over the context, that over the default.

            Examples:
              wsm-apply config view --show-origin
              wsm-apply config get-contexts
              wsm-apply config use-context prod
            """,
        subcommands: [ConfigView.self, ConfigGetContexts.self, ConfigUseContext.self])
}

/// `config view`: each value that counts.
struct ConfigView: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "view",
        abstract: "Show the settings that count now; files by their names only.",
        discussion: """
            Examples:
              wsm-apply config view --show-origin
              wsm-apply config view --context staging -o json
            """)

    @Flag(help: "Show where each value comes from.")
    var showOrigin = false

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        session.print(
            SettingsReport(settings: session.settings, showsOrigins: showOrigin), as: output)
        return .done
    }
}

/// `config get-contexts`: what the file knows.
struct ConfigGetContexts: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "get-contexts",
        abstract: "List the contexts; the one in use is marked.",
        discussion: """
            Examples:
              wsm-apply config get-contexts
              wsm-apply config get-contexts -o name
            """)

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        let file = try ContextsFile.load(session.console.environment)
        if file.contexts.isEmpty, output.isForPeople {
            session.note("no contexts in \(TerminalText.safe(file.path))")
            return .done
        }
        session.print(
            ContextsReport(contexts: file.contexts, inUse: session.settings.context?.value),
            as: output)
        return .done
    }
}

/// `config use-context`: another current context.
struct ConfigUseContext: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "use-context",
        abstract: "Make a context the current one.",
        discussion: """
            Only the line currentContext of the file is written.

            Examples:
              wsm-apply config use-context prod
            """)

    @Argument(help: ArgumentHelp("The context.", valueName: "name"))
    var name: String

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        let file = try ContextsFile.load(session.console.environment)
        guard file[name] != nil else {
            let known = file.contexts.map(\.name).joined(separator: ", ")
            throw CommandFailure.usage(
                "there is no context \"\(name)\" in \(file.path)"
                    + (known.isEmpty ? "" : "; there are \(known)"))
        }
        let bytes = try SystemCalls.contents(of: file.path, limit: ContextsFile.maxBytes)
        let text = try ContextsFile.using(
            name, in: String(decoding: bytes, as: UTF8.self), path: file.path)
        try SystemCalls.replace(file.path, with: Array(text.utf8))
        session.console.output.line("context \(TerminalText.safe(name)) is in use")
        if let other = session.console.environment["WSM_CONTEXT"], !other.isEmpty, other != name {
            session.warn("WSM_CONTEXT is \(TerminalText.safe(other)) and wins over the file")
        }
        return .done
    }
}
