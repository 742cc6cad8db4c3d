internal import ArgumentParser

/// What a change asks of the state it meets, and in whose name it declares fields.
struct ChangeGuards: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Change nothing (exit code 4) unless the set is at this revision; 0: never applied.",
            valueName: "n"))
    var ifRevision: Int64?

    @Option(
        help: ArgumentHelp(
            "Under what name the fields are managed. Default: wsm-apply.", valueName: "name"))
    var fieldManager: String?

    @Flag(help: "Take over fields that another manager gave another value.")
    var forceConflicts = false

    var isUntouched: Bool { ifRevision == nil && fieldManager == nil && !forceConflicts }

    func validate() throws {
        if let ifRevision, ifRevision < 0 {
            throw ValidationError("--if-revision is \(ifRevision): it is 0 or above")
        }
        if fieldManager == "" { throw ValidationError("--field-manager needs a name") }
    }
}

/// Who says what would happen, without doing it.
enum DryRun: String, CaseIterable, Sendable {
    /// The input is compiled here; no server is asked.
    case client
    /// The server says what it would do.
    case server
}

/// `--wait` and `--timeout`, of every verb that applies.
struct WaitOptions: ParsableArguments {
    @Option(
        name: .long, defaultAsFlag: WaitGoal.ready.rawValue, parsing: .next,
        help: ArgumentHelp(
            "Wait until the connections are Ready, or have their FirstMessage.",
            valueName: "goal"))
    var wait: String?

    @Option(help: ArgumentHelp("How long --wait waits.", valueName: "duration"))
    var timeout = DurationArgument(.seconds(60))

    // The parser would take a goal that is none for a bare --wait, hence the text.
    var goal: WaitGoal? { wait.flatMap(WaitGoal.init(text:)) }

    func validate() throws {
        if let wait, goal == nil || goal == .deleted {
            throw ValidationError("--wait is \"\(wait)\": it should be Ready or FirstMessage")
        }
    }
}
