/// What is wrong with the value of one field; places within it are relative to the field's path.
///
/// Bounded like ``DiagnosticCollector``: sentences are made only while they can still be told.
struct FieldProblems {
    struct Item {
        var mark: Mark
        /// What follows the field's own path: empty, `[2].text`, `[X-Trace]`.
        var suffix: String
        var message: String
    }

    private(set) var items: [Item] = []
    private(set) var untold = 0

    var isEmpty: Bool { items.isEmpty }

    mutating func add(
        _ node: Node, _ message: @autoclosure () -> String,
        at suffix: @autoclosure () -> String = ""
    ) {
        if case .reported = node.content { return }
        add(node.mark, message(), at: suffix())
    }

    mutating func add(
        _ mark: Mark, _ message: @autoclosure () -> String,
        at suffix: @autoclosure () -> String = ""
    ) {
        guard items.count < ManifestLimits.maxDiagnostics else {
            untold += 1
            return
        }
        items.append(Item(mark: mark, suffix: suffix(), message: message()))
    }
}
