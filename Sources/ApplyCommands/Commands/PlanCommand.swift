internal import ArgumentParser
internal import ManagerAPI

/// `plan`: what an apply would do, and which live sockets it would cut.
struct PlanCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what an apply would do, and which live sockets it cuts.",
        discussion: """
            Marks: + create, ~ change in place, -/+ change that cuts the live socket (with the \
            field that asks for it), - delete, = unchanged.

            The last line is a guard for the apply: with it nothing is applied once the set has \
            moved. --out saves the plan with its input, literal values included, in a file that \
            only you can read; apply --plan applies exactly that, or nothing.

            Examples:
              wsm-apply plan -f connections/ --prune
              wsm-apply plan -f connections/ -o json
              wsm-apply plan -f connections/ --prune --out saved.plan
            """)

    @OptionGroup var input: InputOptions
    @OptionGroup var options: ApplySetOptions

    @Option(
        help: ArgumentHelp("Save the plan, to be applied with apply --plan.", valueName: "file"))
    var out: String?

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        try input.requireFiles(for: "plan")
        let objects = try await ManifestInput(session: session)
            .load(input, allowEmpty: options.prune)
        let run = try ApplyRun(objects, options, dryRun: true, session: session)
        let (outcome, server) = try await ServerConnection.with(session) { server in
            (try await run.plan(on: server), server.serverInfo)
        }
        session.print(PlanReport(outcome: outcome), as: output)
        ApplyComplaints.report(outcome, to: session)
        if let out { try save(run, outcome, server, to: out, in: session) }
        return outcome.status
    }

    private func save(
        _ run: ApplyRun, _ outcome: ApplyOutcome, _ server: Wsm_V1_ServerInfo, to path: String,
        in session: Session
    ) throws {
        guard outcome.status == .done, let summary = outcome.summary, let stream = run.stream else {
            session.complain("the plan is not saved: not all of it can be applied")
            return
        }
        let plan = SavedPlan(
            header: stream.header, documents: stream.documents,
            baseRevision: summary.baseRevision, digest: summary.planDigest,
            server: SavedPlan.Server(server, at: session.server),
            createdAt: session.console.now(), createdBy: session.console.identity)
        try plan.write(to: path)
        session.note("saved; apply it with: wsm-apply apply --plan \(path)")
    }
}
