internal import ArgumentParser
internal import Spec

/// `explain`: one field of a manifest, or the fields below it.
struct ExplainCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain a field of a manifest.",
        discussion: """
            Type, range, default, an example, and what an edit does to a live socket. Without a \
            field, the kinds; spec. may be left out. A field that is not there is exit code 2.

            Examples:
              wsm-apply explain Connection
              wsm-apply explain keepalive.pingInterval
              wsm-apply explain spec.tls --recursive
              wsm-apply explain connectionset.spec.matrix -o json
            """)

    @Argument(help: ArgumentHelp("KIND, or the path of a field.", valueName: "field"))
    var field: String?

    @Flag(name: [.customShort("R"), .long], help: "Show the fields of all levels below.")
    var recursive = false

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        guard let field else {
            let report = KindsReport(kinds: FieldCatalog.kinds, isRecursive: recursive)
            session.print(report, as: output)
            return .done
        }
        do throws(SyntaxProblem) {
            let match = try FieldCatalog.find(field)
            session.print(ExplainReport(match: match, isRecursive: recursive), as: output)
            return .done
        } catch {
            throw CommandFailure.usage(
                error.message + "; wsm-apply explain Connection --recursive shows all")
        }
    }
}
