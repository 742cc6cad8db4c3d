/// What is wrong with the value of one field; places within it are relative to the field's path.
struct FieldProblems {
    struct Item {
        var mark: Mark
        /// What follows the field's own path: empty, `[2].text`, `[X-Trace]`.
        var suffix: String
        var message: String
    }

    private(set) var items: [Item] = []

    mutating func add(_ node: Node, _ message: String, at suffix: String = "") {
        if case .reported = node.content { return }
        items.append(Item(mark: node.mark, suffix: suffix, message: message))
    }

    mutating func add(_ mark: Mark, _ message: String, at suffix: String = "") {
        items.append(Item(mark: mark, suffix: suffix, message: message))
    }
}
