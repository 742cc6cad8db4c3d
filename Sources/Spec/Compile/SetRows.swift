/// The rows of a set: what each member's variables stand for. From `list`, or from `matrix`.
struct SetRows {
    private enum Source {
        /// Row by row, `columns` values each; `nil` where a row lacks the variable.
        case list(values: [String?], marks: [Mark])
        /// By variable, the last one changing fastest.
        case matrix(values: [[String]], mark: Mark)
    }

    /// Variable → column.
    let columns: [String: Int]
    /// The variables in order, and where each was first named.
    let variables: [(name: String, mark: Mark)]
    let count: Int
    private let source: Source

    /// The value of a variable in a row; `nil` where there is none.
    func value(_ name: String, row: Int) -> String? {
        guard let column = columns[name] else { return nil }
        switch source {
        case .list(let values, _):
            return values[row * columns.count + column]
        case .matrix(let values, _):
            var rest = row
            for later in values[(column + 1)...] { rest /= later.count }
            return values[column][rest % values[column].count]
        }
    }

    func mark(row: Int) -> Mark {
        switch source {
        case .list(_, let marks): marks[row]
        case .matrix(_, let mark): mark
        }
    }

    /// Where the rows stand.
    var path: String {
        switch source {
        case .list: "spec.list"
        case .matrix: "spec.matrix"
        }
    }

    /// How a diagnostic names a row: `spec.list[3]`, `the row venue=a, symbol=b`.
    func label(row: Int) -> String {
        switch source {
        case .list: return "spec.list[\(row)]"
        case .matrix:
            let cells = variables.map { "\($0.name)=\(value($0.name, row: row) ?? "")" }
            return "the row " + cells.joined(separator: ", ")
        }
    }

    /// A list of maps from identifier to string, int or bool.
    static func list(_ node: Node, _ problems: inout FieldProblems) -> SetRows? {
        guard let items = node.list(&problems) else { return nil }
        guard checkCount(items.count, at: node, &problems) else { return nil }
        var columns: [String: Int] = [:]
        var variables: [(name: String, mark: Mark)] = []
        for item in items {
            guard case .mapping(let entries) = item.content else { continue }
            for entry in entries where columns[entry.key.text] == nil {
                guard checkVariables(columns.count + 1, at: item, &problems) else { return nil }
                columns[entry.key.text] = columns.count
                variables.append((entry.key.text, entry.keyMark))
                checkName(entry.key.text, at: entry.keyMark, "", &problems)
            }
        }
        var values = [String?](repeating: nil, count: items.count * columns.count)
        for (row, item) in items.enumerated() {
            for entry in item.map(&problems, at: "[\(row)]") ?? [] {
                guard let column = columns[entry.key.text] else { continue }
                values[row * columns.count + column] = cell(
                    entry.value, &problems, at: "[\(row)].\(entry.key.text)")
            }
        }
        return SetRows(
            columns: columns, variables: variables, count: items.count,
            source: .list(values: values, marks: items.map(\.mark)))
    }

    /// A map from identifier to a list of scalars; the rows are all combinations.
    static func matrix(_ node: Node, _ problems: inout FieldProblems) -> SetRows? {
        guard let written = node.map(&problems),
            checkVariables(written.count, at: node, &problems)
        else { return nil }
        // By name, as canonical JSON has them, so that the members keep their order.
        let entries = written.sorted { $0.key.text < $1.key.text }
        var lists: [[Node]] = []
        for entry in entries {
            checkName(entry.key.text, at: entry.keyMark, ".\(entry.key.text)", &problems)
            lists.append(entry.value.list(&problems, at: ".\(entry.key.text)") ?? [])
        }
        var count = entries.isEmpty ? 0 : 1
        for list in lists {
            let (product, overflow) = count.multipliedReportingOverflow(by: list.count)
            count = overflow ? .max : product
        }
        guard lists.allSatisfy({ $0.count <= ManifestLimits.maxMembers }),
            checkCount(count, at: node, &problems)
        else { return nil }
        let values = zip(entries, lists).map { entry, list in
            list.enumerated().map { index, item in
                cell(item, &problems, at: ".\(entry.key.text)[\(index)]") ?? ""
            }
        }
        return SetRows(
            columns: Dictionary(
                uniqueKeysWithValues: entries.enumerated().map { ($1.key.text, $0) }),
            variables: entries.map { ($0.key.text, $0.keyMark) }, count: count,
            source: .matrix(values: values, mark: node.mark))
    }

    private static func checkCount(
        _ count: Int, at node: Node, _ problems: inout FieldProblems
    ) -> Bool {
        guard count > ManifestLimits.maxMembers else { return true }
        problems.add(
            node,
            "a set has at most 100,000 members; these are \(count == .max ? "more" : "\(count)")")
        return false
    }

    private static func checkVariables(
        _ count: Int, at node: Node, _ problems: inout FieldProblems
    ) -> Bool {
        guard count > ManifestLimits.maxVariables else { return true }
        problems.add(node, "a set has at most \(ManifestLimits.maxVariables) variables")
        return false
    }

    private static func checkName(
        _ name: String, at mark: Mark, _ suffix: String, _ problems: inout FieldProblems
    ) {
        guard !CharacterRules.isIdentifier(name) else { return }
        problems.add(
            mark, "the name of a variable has letters, digits and \"_\" only, no digit first",
            at: suffix)
    }

    private static func cell(
        _ node: Node, _ problems: inout FieldProblems, at suffix: @autoclosure () -> String
    ) -> String? {
        guard case .scalar(let scalar) = node.content else {
            problems.add(
                node, "a string, number or bool is wanted, not \(node.kindName)", at: suffix())
            return nil
        }
        switch scalar.kind {
        case .string where !CharacterRules.hasControl(scalar.text):
            return scalar.text
        case .string:
            problems.add(node, "a control character is in the string", at: suffix())
        case .bool where scalar.text == "true" || scalar.text == "false":
            return scalar.text
        case .int where JSONNumber.isNumber(scalar.text):
            return scalar.text
        case .null, .bool, .int, .float:
            problems.add(
                node,
                "a string, a whole number or true or false is wanted; "
                    + "quote what is a string: '\(scalar.text)'", at: suffix())
        }
        return nil
    }
}
