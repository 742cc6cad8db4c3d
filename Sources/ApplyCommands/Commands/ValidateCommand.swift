internal import ArgumentParser
internal import Spec

/// `validate`: compiles manifests here, without a server.
struct ValidateCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check manifests without a server.",
        discussion: """
            Every problem is printed as file:line:col: path: sentence.

            Examples:
              wsm-apply validate -f connections/
              wsm-apply validate -f - < btc.yaml
            """)

    @OptionGroup var input: InputOptions

    @Option(name: .shortAndLong, help: "The form of the result.")
    var output: OutputFormat = .table

    @OptionGroup var common: CommonOptions

    func run(in session: Session) async throws -> CommandStatus {
        try input.requireFiles(for: "validate")
        let files = ManifestInput(session: session)
        let compilation = try await files.compile(input)
        let report = ValidationReport(compilation: compilation)
        if compilation.hasErrors {
            files.report(compilation.diagnostics)
            if !output.isForPeople { session.print(report, as: output) }
            let errors = compilation.diagnostics.count { $0.severity == .error }
            throw CommandFailure(.invalid, "\(errors.counted("problem")) in the input")
        }
        files.report(compilation.diagnostics)
        session.print(report, as: output)
        return .done
    }
}
