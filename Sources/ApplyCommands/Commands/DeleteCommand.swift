internal import ArgumentParser
internal import GRPCCore
internal import ManagerAPI
internal import Spec

/// `delete`: closes connections and forgets them.
struct DeleteCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete objects; their sockets are closed.",
        discussion: """
            A ConnectionSet goes with its members. An object that is not there is exit code 1; \
            with --ignore-not-found it is fine.

            Examples:
              wsm-apply delete btc-trades eth-trades
              wsm-apply delete connectionset/book
              wsm-apply delete -f connections/ --set prod
            """)

    @Argument(help: ArgumentHelp("NAME or TYPE/NAME.", valueName: "name"))
    var objects: [String] = []

    @OptionGroup var input: InputOptions

    @Option(help: ArgumentHelp("The type of plain names.", valueName: "type"))
    var kind: String?

    @Option(help: ArgumentHelp("Delete only what this apply set owns.", valueName: "name"))
    var set: String?

    @Flag(help: "What is not there is no error.")
    var ignoreNotFound = false

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        let references = try await references(in: session)
        session.nameContext()
        let report = try await ServerConnection.with(session) { server in
            var report = DeleteReport()
            for reference in references {
                if session.console.interruption.isTriggered { break }
                report.entries.append(
                    try await delete(reference, on: server, by: session.console.identity))
            }
            return report
        }
        session.print(report, as: output)
        for entry in report.entries {
            if let problem = entry.problem { session.complain(TerminalText.safe(problem)) }
        }
        if report.entries.count < references.count {
            throw CommandFailure(
                .interrupted,
                "interrupted: \(report.entries.count) of \(references.count.counted("object")) done"
            )
        }
        return report.status(ignoringMissing: ignoreNotFound)
    }

    private func references(in session: Session) async throws -> [ObjectReference] {
        let kind = try kind.map { word in
            guard let kind = ObjectKind(word: word) else {
                throw CommandFailure.usage(
                    "--kind is \"\(word)\"; there are connection and connectionset")
            }
            return kind
        }
        guard !input.files.isEmpty else {
            let named = try ObjectArguments(objects, kind: kind).references
            guard !named.isEmpty else {
                throw CommandFailure.usage("nothing to delete: give names, or files with -f")
            }
            return named
        }
        guard objects.isEmpty, kind == nil else {
            throw CommandFailure.usage("give either names or files, not both")
        }
        return try await ManifestInput(session: session).load(input).map {
            ObjectReference(kind: $0.kind, name: $0.metadata.name)
        }
    }

    private func delete(
        _ reference: ObjectReference, on server: ServerConnection, by identity: String
    ) async throws -> DeleteReport.Entry {
        var request = Wsm_V1_DeleteRequest()
        request.kind = reference.kind.rawValue
        request.name = reference.name
        request.set = set ?? ""
        request.appliedBy = identity
        do {
            let response = try await server.orchestrator.delete(
                request, options: ServerConnection.options(timeout: .seconds(60)))
            return .init(reference: reference, end: .deleted(Int(response.deleted)))
        } catch let error as RPCError where error.code == .notFound {
            return .init(
                reference: reference, end: ignoreNotFound ? .absent : .missing)
        } catch let error as RPCError where Self.isAboutTheObject(error) {
            let failure = CommandFailure(error, from: server.address)
            return .init(reference: reference, end: .refused(failure))
        }
    }

    /// The server looked at the object and said no; the next one may fare better.
    private static func isAboutTheObject(_ error: RPCError) -> Bool {
        switch error.code {
        case .failedPrecondition, .aborted, .invalidArgument: true
        default: false
        }
    }
}
