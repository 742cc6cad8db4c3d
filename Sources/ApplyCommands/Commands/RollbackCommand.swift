internal import ArgumentParser
internal import ManagerAPI
internal import Spec

/// `rollback`: makes an apply set what it was at a revision.
struct RollbackCommand: ConsoleCommand, ApplyingCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Make an apply set what it was at a revision.",
        discussion: """
            The manifests of that revision are applied with --prune, and what comes of it is a new \
            revision. Objects that another set owns by now are conflicts.

            Examples:
              wsm-apply history prod
              wsm-apply rollback prod --to 7 --dry-run
              wsm-apply rollback prod --to 7 --wait
            """)

    @Argument(help: ArgumentHelp("The apply set.", valueName: "set"))
    var set: String

    @Option(help: ArgumentHelp("The revision to go back to.", valueName: "n"))
    var to: Int64

    @Flag(help: "Let the server say what would happen, and write nothing.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "Delete at most so many objects. Default 20%, but never below 5.", valueName: "n|p%"))
    var maxPrune: String?

    @OptionGroup var guards: ChangeGuards
    @OptionGroup var waiting: WaitOptions

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    var goal: WaitGoal? { waiting.goal }
    var timeout: Duration { waiting.timeout.duration }

    func validate() throws {
        if let problem = ObjectName.problem(set) {
            throw ValidationError("\"\(set)\" is no name: \(problem)")
        }
        if to < 1 { throw ValidationError("--to is at least 1") }
        try PruneLimitText.check(maxPrune)
        if dryRun, goal != nil {
            throw ValidationError("--wait has nothing to wait for with --dry-run")
        }
    }

    func run(in session: Session) async throws -> CommandStatus {
        var request = Wsm_V1_RollbackRequest()
        request.set = set
        request.to = to
        request.dryRun = dryRun
        request.maxPrune = maxPrune ?? ""
        request.appliedBy = session.console.identity
        request.fieldManager = guards.fieldManager ?? ""
        request.forceConflicts = guards.forceConflicts
        if let revision = guards.ifRevision { request.ifRevision = revision }
        let run = ApplyRun(request, session: session)
        return try await ServerConnection.with(session) { server in
            try await apply(run, on: server, in: session)
        }
    }
}
