internal import Spec

/// Reads and compiles what `-f` names, and says on the standard error what is wrong with it.
struct ManifestInput {
    /// One byte more than a file may have, so that the compiler sees that it is too large.
    private static let readLimit = 16 << 20
    private static let shownWarnings = 20

    let session: Session

    /// The compiled objects.
    ///
    /// - Throws: A ``CommandFailure`` once every problem has been printed.
    func load(_ input: InputOptions, allowEmpty: Bool = false) async throws -> [CompiledObject] {
        let compilation = try await compile(input)
        report(compilation.diagnostics)
        let errors = compilation.diagnostics.count { $0.severity == .error }
        guard errors == 0 else {
            throw CommandFailure(.invalid, "\(errors.counted("problem")) in the input")
        }
        guard allowEmpty || !compilation.objects.isEmpty else {
            throw CommandFailure(
                .invalid,
                "no object in \(input.files.joined(separator: ", ")): manifests are *.yaml, *.yml"
                    + " and *.json")
        }
        return compilation.objects
    }

    func compile(_ input: InputOptions) async throws -> Compilation {
        var sources: [ManifestSource] = []
        for path in try ManifestFiles.find(input.files) {
            sources.append(ManifestSource(name: path, bytes: try await read(path)))
        }
        return ManifestCompiler.compile(sources)
    }

    private func read(_ path: String) async throws -> [UInt8] {
        if path == "-" { return try await session.console.input.readAll(limit: Self.readLimit) }
        do {
            return try SystemCalls.contents(of: path, limit: Self.readLimit)
        } catch {
            throw CommandFailure(error.status, "\(path): \(error.message)")
        }
    }

    /// Prints every error, and the first warnings unless it is to be quiet.
    func report(_ diagnostics: [Diagnostic]) {
        var warnings = 0
        for diagnostic in diagnostics {
            if diagnostic.severity == .warning {
                warnings += 1
                if session.isQuiet || warnings > Self.shownWarnings { continue }
            }
            session.console.error.line(TerminalText.safe(diagnostic.description))
        }
        if warnings > Self.shownWarnings {
            let rest = warnings - Self.shownWarnings
            session.note("… and \(rest.counted("more warning"))")
        }
    }
}
