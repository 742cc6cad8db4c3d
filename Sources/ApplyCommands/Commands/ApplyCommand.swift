internal import ArgumentParser
internal import Spec

/// `apply`: makes an apply set what the input says. The verb that is meant where none is named.
struct ApplyCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Apply manifests (the default verb).",
        discussion: """
            Everything is compiled first; if anything is wrong, all of it is said and nothing is \
            sent. Then each object is applied whole or not at all.

            Examples:
              wsm-apply -f btc.yaml
              wsm-apply -f connections/ --set prod --prune
              wsm-apply -f connections/ --wait --timeout 2m
              wsm-apply -f feed.yaml --wait=FirstMessage
              generate-manifests | wsm-apply -f - --dry-run -o json
            """)

    @OptionGroup var input: InputOptions
    @OptionGroup var options: ApplySetOptions

    @Flag(help: "Let the server say what would happen, and write nothing.")
    var dryRun = false

    @Option(
        name: .long, defaultAsFlag: WaitGoal.ready.rawValue, parsing: .next,
        help: ArgumentHelp(
            "Wait until the connections are Ready, or have their FirstMessage.",
            valueName: "goal"))
    var wait: String?

    @Option(help: ArgumentHelp("How long --wait waits.", valueName: "duration"))
    var timeout = DurationArgument(.seconds(60))

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    // The parser would take a goal that is none for a bare --wait, hence the text.
    private var goal: WaitGoal? { wait.flatMap(WaitGoal.init(text:)) }

    func validate() throws {
        if let wait, goal == nil {
            throw ValidationError("--wait is \"\(wait)\": it should be Ready or FirstMessage")
        }
        if dryRun, wait != nil {
            throw ValidationError("--wait has nothing to wait for with --dry-run")
        }
    }

    func run(in session: Session) async throws -> CommandStatus {
        try input.requireFiles(for: "apply")
        let objects = try await ManifestInput(session: session)
            .load(input, allowEmpty: options.prune)
        let run = try ApplyRun(objects, options, dryRun: dryRun, session: session)
        if options.prune, !dryRun { session.nameContext() }
        return try await ServerConnection.with(session) { server in
            try await apply(run, on: server, in: session)
        }
    }

    private func apply(
        _ run: ApplyRun, on server: ServerConnection, in session: Session
    ) async throws -> CommandStatus {
        let outcome: ApplyOutcome
        do {
            outcome = try await run.apply(on: server)
        } catch {
            throw failure(of: run, error, in: session)
        }
        if output.isForPeople { session.print(ApplyReport(outcome: outcome), as: output) }
        ApplyComplaints.report(outcome, to: session)
        guard let goal, outcome.status == .done else {
            if !output.isForPeople { session.print(ApplyReport(outcome: outcome), as: output) }
            if goal != nil { session.note("not waiting: not everything was applied") }
            return outcome.status
        }
        let runner = WaitRunner(
            session: session, server: server, goal: goal, timeout: timeout.duration)
        return try await finish(runner, outcome, in: session)
    }

    private func finish(
        _ runner: WaitRunner, _ outcome: ApplyOutcome, in session: Session
    ) async throws -> CommandStatus {
        let machine = WaitRunner.machine(goal: runner.goal, after: outcome)
        let waited: WaitOutcome
        do {
            waited = try await runner.run(machine, set: options.set)
        } catch  where session.console.interruption.isTriggered {
            throw CommandFailure(
                .interrupted, "interrupted while waiting; what is said above was applied")
        }
        if output.isForPeople {
            if waited.end == .reached { session.console.output.line(waited.success) }
        } else {
            session.print(ApplyReport(outcome: outcome, wait: waited), as: output)
        }
        let complaint = waited.complaint(now: session.console.now())
        if let first = complaint.first {
            session.complain(first)
            for line in complaint.dropFirst() { session.console.error.line(line) }
        }
        return waited.status
    }

    /// What a run that broke off has done, told to people; and the failure that remains.
    private func failure(
        of run: ApplyRun, _ error: any Error, in session: Session
    ) -> any Error {
        let outcome = run.outcome
        let isInterrupted = session.console.interruption.isTriggered
        if !outcome.results.isEmpty {
            session.print(ApplyReport(outcome: outcome), as: .table)
            ApplyComplaints.report(outcome, to: session)
        }
        let advice =
            "each object is applied whole or not at all; the same command again completes it"
        if isInterrupted {
            let done =
                outcome.results.isEmpty
                ? "the server had not answered yet"
                : "the server had answered for the objects above"
            return CommandFailure(.interrupted, "interrupted: \(done); \(advice)")
        }
        if outcome.changed > 0, !outcome.isDryRun {
            return CommandFailure(.partial, "the answer broke off (\(error)); \(advice)")
        }
        return error
    }
}

extension OutputFormat {
    /// Printed as it comes; the other forms are one document at the end.
    var isForPeople: Bool {
        switch self {
        case .table, .wide: true
        case .json, .yaml, .name: false
        }
    }
}
