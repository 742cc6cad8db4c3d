internal import ArgumentParser

/// `diff`: the fields in which the input differs from what the server has.
struct DiffCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show how the input differs from what the server has.",
        discussion: """
            Exit code 0: no difference; 1: differences; above: an error. Defaults that are filled \
            in are no difference. Secrets appear as references.

            Examples:
              wsm-apply diff -f connections/
              wsm-apply diff -f connections/ --prune -o name
            """)

    @OptionGroup var input: InputOptions
    @OptionGroup var options: ApplySetOptions

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        try input.requireFiles(for: "diff")
        let objects = try await ManifestInput(session: session)
            .load(input, allowEmpty: options.prune)
        let run = try ApplyRun(objects, options, dryRun: true, session: session)
        let outcome = try await ServerConnection.with(session) { server in
            try await run.plan(on: server)
        }
        session.print(DiffReport(outcome: outcome, objects: objects), as: output)
        ApplyComplaints.report(outcome, to: session)
        guard outcome.status == .done else { return outcome.status }
        return outcome.hasDifferences ? .different : .done
    }
}
