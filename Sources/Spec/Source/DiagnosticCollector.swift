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

    mutating func error(_ mark: Mark, _ path: String, _ message: String) {
        errorCount += 1
        add(.error, mark, path, message)
    }

    mutating func warning(_ mark: Mark, _ path: String, _ message: String) {
        add(.warning, mark, path, message)
    }

    /// Closes the source: says how much was left out.
    mutating func finish() {
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
        _ severity: Diagnostic.Severity, _ mark: Mark, _ path: String, _ message: String
    ) {
        guard diagnostics.count < ManifestLimits.maxDiagnostics else {
            untold += 1
            return
        }
        diagnostics.append(
            Diagnostic(
                severity: severity, position: position(mark), path: path, message: message))
    }
}
