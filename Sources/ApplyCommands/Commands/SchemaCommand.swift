internal import ArgumentParser
internal import Spec

/// `schema`: the JSON Schema of manifests, for editors and other validators.
struct SchemaCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of manifests.",
        discussion: """
            JSON Schema 2020-12, of every kind or of one. It accepts all that validate accepts; \
            what compares fields, or counts bytes, only validate can tell.

            Examples:
              wsm-apply schema > wsm.json
              wsm-apply schema Connection
            """)

    @Argument(help: ArgumentHelp("Connection or ConnectionSet.", valueName: "kind"))
    var kind: String?

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        let kind = try kind.map { word in
            guard let kind = ObjectKind(word: word) else {
                let kinds = ObjectKind.allCases.map(\.rawValue).joined(separator: " and ")
                throw CommandFailure.usage(
                    "\"\(TerminalText.safe(word))\" is no kind; there are \(kinds)")
            }
            return kind
        }
        session.console.output.write(PrettyJSON.text(ManifestSchema.document(kind)))
        return .done
    }
}
