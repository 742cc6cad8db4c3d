internal import ArgumentParser

/// `completion`: the script that makes a shell complete verbs, flags and live names.
struct CompletionCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion",
        abstract: "Print the completion script of a shell.",
        discussion: """
            Verbs, flags and files, and the names the server knows: connections, connection sets, \
            topics and apply sets. A server that does not answer within a second gives none.

            Examples:
              source <(wsm-apply completion bash)
              wsm-apply completion zsh > ~/.zfunc/_wsm-apply
              wsm-apply completion fish > ~/.config/fish/completions/wsm-apply.fish
            """)

    @Argument(help: "The shell.")
    var shell: CompletionShell

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        session.console.output.write(shell.script)
        return .done
    }
}
