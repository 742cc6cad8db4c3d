internal import ArgumentParser
internal import GRPCCore
internal import ManagerAPI
internal import Spec

/// `wait`: until connections are where they should be, or gone.
struct WaitCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until connections are Ready, have their first message, or are deleted.",
        discussion: """
            Ends with exit code 6 when the time is up, and with 8 as soon as one of them failed for \
            good. A connection that is named need not be there yet; a selector or set that fits none \
            is exit code 1, and nothing to wait for with --for=deleted.

            Examples:
              wsm-apply wait btc-trades eth-trades
              wsm-apply wait --for=FirstMessage -l venue=binance --timeout 2m
              wsm-apply wait --for=deleted connectionset/book
            """)

    @Argument(help: ArgumentHelp("NAME or TYPE/NAME.", valueName: "name"))
    var objects: [String] = []

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("Ready, FirstMessage or deleted.", valueName: "goal"))
    var goal: WaitGoal = .ready

    @Option(
        name: [.customShort("l"), .customLong("selector")],
        help: "Labels, as in a=b,c!=d,e in (x,y),!f.")
    var selector: String?

    @Option(help: ArgumentHelp("All connections of one apply set.", valueName: "name"))
    var set: String?

    @Option(help: ArgumentHelp("How long to wait.", valueName: "duration"))
    var timeout = DurationArgument(.seconds(60))

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        let references = try ObjectArguments(objects).references
        guard references.isEmpty || (selector == nil && set == nil) else {
            throw CommandFailure.usage("names go neither with --selector nor with --set")
        }
        guard !references.isEmpty || selector != nil || set != nil else {
            throw CommandFailure.usage("wait for what? Give names, --selector or --set")
        }
        return try await ServerConnection.with(session) { server in
            let names = try await names(references, on: server)
            guard !names.isEmpty || goal == .deleted else {
                throw CommandFailure(.different, "no connection fits: there is nothing to wait for")
            }
            return try await wait(for: names, on: server, in: session)
        }
    }

    /// Those that are awaited; a ConnectionSet stands for the members it has now.
    private func names(
        _ references: [ObjectReference], on server: ServerConnection
    ) async throws -> Set<String> {
        var query = ObjectQuery(kinds: [.connection])
        query.isBrief = true
        guard !references.isEmpty else {
            query.selector = selector ?? ""
            query.set = set ?? ""
            return Set(try await query.fetch(from: server).map(\.name))
        }
        var names = Set(references.filter { $0.kind == .connection }.map(\.name))
        let sets = Set(references.filter { $0.kind == .connectionSet }.map(\.name))
        guard !sets.isEmpty else { return names }
        for object in try await query.fetch(from: server) where sets.contains(object.connectionSet)
        {
            names.insert(object.name)
        }
        return names
    }

    private func wait(
        for names: Set<String>, on server: ServerConnection, in session: Session
    ) async throws -> CommandStatus {
        let machine = WaitMachine(
            goal: goal, connections: Dictionary(uniqueKeysWithValues: names.map { ($0, 0) }))
        let runner = WaitRunner(
            session: session, server: server, goal: goal, timeout: timeout.duration)
        // By name, or among all: one that leaves its set or loses its label is not deleted.
        let outcome = try await runner.run(machine, set: "")
        let report = WaitReport(outcome: outcome)
        if !output.isForPeople || outcome.end == .reached { session.print(report, as: output) }
        let complaint = outcome.complaint(now: session.console.now())
        if let first = complaint.first {
            session.complain(first)
            for line in complaint.dropFirst() { session.console.error.line(line) }
        }
        return outcome.status
    }
}
