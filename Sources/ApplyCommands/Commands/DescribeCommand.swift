internal import ArgumentParser

/// `describe`: all there is to say about an object, for people.
struct DescribeCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe",
        abstract: "Show an object with its status, for people.",
        discussion: """
            An object that is not there is exit code 1.

            Examples:
              wsm-apply describe btc-trades
              wsm-apply describe connectionset/book
            """)

    @Argument(help: ArgumentHelp("NAME or TYPE/NAME.", valueName: "name"))
    var objects: [String] = []

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        let references = try ObjectArguments(objects).references
        guard !references.isEmpty else {
            throw CommandFailure.usage("describe what? Give a NAME or TYPE/NAME")
        }
        let (found, missing) = try await ServerConnection.with(session) { server in
            try await ObjectQuery.fetch(references, from: server)
        }
        let canvas = session.canvas
        let texts = found.map { ObjectDescription(object: $0).text(canvas) }
        session.console.output.write(texts.joined(separator: "\n"))
        for reference in missing { session.complain("\(reference.label) is not there") }
        return missing.isEmpty ? .done : .different
    }
}
