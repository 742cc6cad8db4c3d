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
              wsm-apply -f connections/ --if-revision 7
              wsm-apply apply --plan saved.plan
            """)

    @OptionGroup var input: InputOptions
    @OptionGroup var options: ApplySetOptions

    @Option(
        help: ArgumentHelp(
            "Apply exactly what plan --out saved; exit code 4 when anything moved since.",
            valueName: "file"))
    var plan: String?

    @Option(
        name: .long, defaultAsFlag: DryRun.server.rawValue, parsing: .next,
        help: ArgumentHelp(
            "Write nothing: server says what would happen, client only compiles, without a server.",
            valueName: "client|server"))
    var dryRun: String?

    @OptionGroup var waiting: WaitOptions

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    // As with --wait, the parser would take another word for a bare --dry-run.
    private var dryRunBy: DryRun? { dryRun.flatMap(DryRun.init) }

    var goal: WaitGoal? { waiting.goal }
    var timeout: Duration { waiting.timeout.duration }

    func validate() throws {
        if let dryRun, dryRunBy == nil {
            throw ValidationError("--dry-run is \"\(dryRun)\": it should be client or server")
        }
        if dryRun != nil, goal != nil {
            throw ValidationError("--wait has nothing to wait for with --dry-run")
        }
        guard plan != nil else { return }
        guard input.files.isEmpty, options.isUntouched, dryRun == nil else {
            throw ValidationError(
                "--plan applies exactly what was planned: -f, --set, --prune, --dry-run and the "
                    + "like do not go with it")
        }
    }

    func run(in session: Session) async throws -> CommandStatus {
        if let plan { return try await apply(savedPlan: plan, in: session) }
        try input.requireFiles(for: "apply")
        let objects = try await ManifestInput(session: session)
            .load(input, allowEmpty: options.prune)
        if dryRunBy == .client { return compileOnly(objects, in: session) }
        let run = try ApplyRun(objects, options, dryRun: dryRunBy != nil, session: session)
        if options.prune, dryRunBy == nil { session.nameContext() }
        return try await ServerConnection.with(session) { server in
            try await apply(run, on: server, in: session)
        }
    }

    private func apply(savedPlan path: String, in session: Session) async throws -> CommandStatus {
        let plan = try SavedPlan.read(from: path)
        return try await ServerConnection.with(session) { server in
            try plan.check(server)
            return try await apply(ApplyRun(plan, session: session), on: server, in: session)
        }
    }

    private func compileOnly(
        _ objects: [CompiledObject], in session: Session
    ) -> CommandStatus {
        if options.prune {
            session.note("what a prune would delete is not told: the server was not asked")
        }
        let outcome = ApplyOutcome(compiled: objects, set: options.set)
        session.print(ApplyReport(outcome: outcome), as: output)
        return outcome.status
    }
}

/// A verb that changes a set, reports it, and may wait for its connections.
protocol ApplyingCommand {
    var output: OutputFormat { get }
    var goal: WaitGoal? { get }
    var timeout: Duration { get }
}

extension ApplyCommand: ApplyingCommand {}

extension ApplyingCommand {
    func apply(
        _ run: ApplyRun, on server: ServerConnection, in session: Session
    ) async throws -> CommandStatus {
        let outcome: ApplyOutcome
        do {
            outcome = try await run.apply(on: server)
        } catch {
            throw failure(of: run, error, in: session)
        }
        if output.comesAtOnce { session.print(ApplyReport(outcome: outcome), as: output) }
        ApplyComplaints.report(outcome, to: session)
        guard let goal, outcome.status == .done else {
            if !output.comesAtOnce { session.print(ApplyReport(outcome: outcome), as: output) }
            if goal != nil { session.note("not waiting: not everything was applied") }
            return outcome.status
        }
        var runner = WaitRunner(
            session: session, server: server, goal: goal, timeout: timeout)
        if output == .ndjson {
            runner.observe = { change in Record(change).map { session.print($0) } }
        }
        return try await finish(runner, outcome, in: session)
    }

    private func finish(
        _ runner: WaitRunner, _ outcome: ApplyOutcome, in session: Session
    ) async throws -> CommandStatus {
        let machine = WaitRunner.machine(goal: runner.goal, after: outcome)
        let waited: WaitOutcome
        do {
            waited = try await runner.run(machine, set: outcome.set)
        } catch  where session.console.interruption.isTriggered {
            throw CommandFailure(
                .interrupted, "interrupted while waiting; what is said above was applied")
        }
        if output.isForPeople {
            if waited.end == .reached { session.console.output.line(waited.success) }
        } else if output == .ndjson {
            session.print(waited.record)
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
        case .json, .yaml, .name, .ndjson: false
        }
    }

    /// Printed as it comes, for people or for a program that reads line by line.
    var comesAtOnce: Bool { isForPeople || self == .ndjson }
}
