/// Gathers what the compiler says about one source, up to a bound; the rest is counted.
struct DiagnosticCollector {
    private let file: String
    private(set) var diagnostics: [Diagnostic] = []
    /// All errors, told or not.
    private(set) var errorCount = 0
    private var untold = 0

    init(file: String) {
        self.file = file
    }

    mutating func error(
        _ mark: Mark, _ path: @autoclosure () -> String, _ message: @autoclosure () -> String
    ) {
        errorCount += 1
        add(.error, mark, path(), message())
    }

    mutating func warning(
        _ mark: Mark, _ path: @autoclosure () -> String, _ message: @autoclosure () -> String
    ) {
        add(.warning, mark, path(), message())
    }

    /// Takes the problems of the field at `path` as errors.
    mutating func errors(_ problems: FieldProblems, _ path: @autoclosure () -> String) {
        guard !problems.isEmpty else { return }
        let path = path()
        for item in problems.items { error(item.mark, path + item.suffix, item.message) }
        errorCount += problems.untold
        untold += problems.untold
    }

    /// Closes the source: orders by place and says how much was left out.
    mutating func finish() {
        diagnostics = diagnostics.enumerated().sorted { left, right in
            let (a, b) = (left.element.position, right.element.position)
            return (a.line, a.column, left.offset) < (b.line, b.column, right.offset)
        }.map(\.element)
        guard untold > 0, let last = diagnostics.last else { return }
        let severity: Diagnostic.Severity = errorCount > 0 ? .error : .warning
        diagnostics.append(
            Diagnostic(
                severity: severity, position: last.position, path: "",
                message: "and \(untold) more problems in this file"))
        untold = 0
    }

    func position(_ mark: Mark) -> SourcePosition {
        SourcePosition(file: file, line: Int(mark.line), column: Int(mark.column))
    }

    private mutating func add(
        _ severity: Diagnostic.Severity, _ mark: Mark, _ path: @autoclosure () -> String,
        _ message: @autoclosure () -> String
    ) {
        guard diagnostics.count < ManifestLimits.maxDiagnostics else {
            untold += 1
            return
        }
        diagnostics.append(
            Diagnostic(
                severity: severity, position: position(mark),
                path: path().clipped(ManifestLimits.maxPathBytes),
                message: message().clipped(ManifestLimits.maxSentenceBytes)))
    }
}
