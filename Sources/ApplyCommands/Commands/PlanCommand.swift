internal import ArgumentParser

/// `plan`: what an apply would do, and which live sockets it would cut.
struct PlanCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what an apply would do, and which live sockets it cuts.",
        discussion: """
            Marks: + create, ~ change in place, -/+ change that cuts the live socket (with the \
            field that asks for it), - delete, = unchanged.

            Examples:
              wsm-apply plan -f connections/ --prune
              wsm-apply plan -f connections/ -o json
            """)

    @OptionGroup var input: InputOptions
    @OptionGroup var options: ApplySetOptions

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        try input.requireFiles(for: "plan")
        let objects = try await ManifestInput(session: session)
            .load(input, allowEmpty: options.prune)
        let run = try ApplyRun(objects, options, dryRun: true, session: session)
        let outcome = try await ServerConnection.with(session) { server in
            try await run.plan(on: server)
        }
        session.print(PlanReport(outcome: outcome), as: output)
        ApplyComplaints.report(outcome, to: session)
        return outcome.status
    }
}
