/// A string of a set's template: text and `{{variable}}`, `{{variable|lower}}`, `{{variable|upper}}`.
///
/// `{{{{` writes `{{`. There is nothing else: no expressions, no defaults.
struct TemplateString: Sendable, Hashable {
    enum Filter: String, Sendable, CaseIterable {
        case lower, upper
    }

    enum Part: Sendable, Hashable {
        case text(String)
        case variable(name: String, filter: Filter?)
    }

    let parts: [Part]

    /// The names of the variables, in order.
    var variables: [String] {
        parts.compactMap { part in
            if case .variable(let name, _) = part { name } else { nil }
        }
    }

    var literalBytes: Int {
        parts.reduce(0) { sum, part in
            if case .text(let text) = part { sum + text.utf8.count } else { sum }
        }
    }

    init(_ text: String) throws(SyntaxProblem) {
        var parts: [Part] = []
        var literal = ""
        var rest = text[...]
        while let open = rest.firstBraces {
            literal += rest[..<open]
            rest = rest[rest.utf8.index(open, offsetBy: 2)...]
            if rest.hasPrefix("{{") {
                literal += "{{"
                rest = rest.dropFirst(2)
                continue
            }
            guard let close = rest.firstClosingBraces else {
                throw "a {{ has no }}; for the text {{ write {{{{"
            }
            if !literal.isEmpty { parts.append(.text(literal)) }
            literal = ""
            parts.append(try Self.variable(rest[..<close]))
            rest = rest[rest.utf8.index(close, offsetBy: 2)...]
        }
        literal += rest
        if !literal.isEmpty { parts.append(.text(literal)) }
        self.parts = parts
    }

    /// The string for one member; `nil` where `value` has no value for a variable.
    func expanded(_ value: (String) -> String?) -> String? {
        var text = ""
        for part in parts {
            switch part {
            case .text(let literal):
                text += literal
            case .variable(let name, let filter):
                guard let value = value(name) else { return nil }
                switch filter {
                case .lower: text += value.lowercased()
                case .upper: text += value.uppercased()
                case nil: text += value
                }
            }
        }
        return text
    }

    private static func variable(_ text: Substring) throws(SyntaxProblem) -> Part {
        let pieces = text.split(separator: "|", omittingEmptySubsequences: false)
            .map { String($0.trimmingBlanks()) }
        guard let name = pieces.first, CharacterRules.isIdentifier(name) else {
            throw SyntaxProblem(
                "{{\(text.prefix(64))}} names no variable; for the text {{ write {{{{")
        }
        guard pieces.count > 1 else { return .variable(name: name, filter: nil) }
        guard pieces.count == 2, let filter = Filter(rawValue: pieces[1]) else {
            let words = Filter.allCases.map(\.rawValue)
            throw SyntaxProblem(
                "{{\(text.prefix(64))}} has an unknown filter; there are lower and upper"
                    + Suggestion.hint(pieces[1], among: words))
        }
        return .variable(name: name, filter: filter)
    }
}

extension Substring {
    fileprivate var firstBraces: Index? { firstPair(UInt8(ascii: "{")) }
    fileprivate var firstClosingBraces: Index? { firstPair(UInt8(ascii: "}")) }

    private func firstPair(_ byte: UInt8) -> Index? {
        var previous: Index?
        for index in utf8.indices {
            guard utf8[index] == byte else {
                previous = nil
                continue
            }
            if let previous { return previous }
            previous = index
        }
        return nil
    }

    fileprivate func trimmingBlanks() -> Substring {
        var text = drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// The value of a field that depends on the member: the node with its strings taken apart.
indirect enum TemplateNode: Sendable {
    case fixed(Node)
    case text(Mark, TemplateString)
    case sequence(Mark, [TemplateNode])
    case mapping(Mark, [(key: Scalar, mark: Mark, value: TemplateNode)])

    /// Whether any string of the value has `{{`.
    static func isTemplate(_ node: Node) -> Bool {
        switch node.content {
        case .scalar(let scalar): scalar.text.contains("{{") && scalar.kind == .string
        case .sequence(let items): items.contains(where: isTemplate)
        case .mapping(let entries): entries.contains { isTemplate($0.value) }
        case .reported: false
        }
    }

    /// Takes the strings apart; what is no template string goes to `problems`.
    init(_ node: Node, _ problems: inout FieldProblems, at suffix: String = "") {
        guard Self.isTemplate(node) else {
            self = .fixed(node)
            return
        }
        switch node.content {
        case .scalar(let scalar):
            do {
                self = .text(node.mark, try TemplateString(scalar.text))
            } catch {
                problems.add(node, error.message, at: suffix)
                self = .fixed(node)
            }
        case .sequence(let items):
            self = .sequence(
                node.mark,
                items.enumerated().map { TemplateNode($1, &problems, at: "\(suffix)[\($0)]") })
        case .mapping(let entries):
            self = .mapping(
                node.mark,
                entries.map { entry in
                    let place = "\(suffix).\(entry.key.text)"
                    return (
                        entry.key, entry.keyMark, TemplateNode(entry.value, &problems, at: place)
                    )
                })
        case .reported:
            self = .fixed(node)
        }
    }

    var variables: [(name: String, mark: Mark)] {
        switch self {
        case .fixed: []
        case .text(let mark, let text): text.variables.map { ($0, mark) }
        case .sequence(_, let items): items.flatMap(\.variables)
        case .mapping(_, let entries): entries.flatMap(\.value.variables)
        }
    }

    var literalBytes: Int {
        switch self {
        case .fixed: 0
        case .text(_, let text): text.literalBytes
        case .sequence(_, let items): items.reduce(0) { $0 + $1.literalBytes }
        case .mapping(_, let entries): entries.reduce(0) { $0 + $1.value.literalBytes }
        }
    }

    /// The value for one member.
    func expanded(_ value: (String) -> String?) -> Node {
        switch self {
        case .fixed(let node):
            return node
        case .text(let mark, let text):
            guard let text = text.expanded(value) else {
                return Node(mark: mark, content: .reported)
            }
            return Node(mark: mark, content: .scalar(.string(text)))
        case .sequence(let mark, let items):
            return Node(mark: mark, content: .sequence(items.map { $0.expanded(value) }))
        case .mapping(let mark, let entries):
            return Node(
                mark: mark,
                content: .mapping(
                    entries.map { entry in
                        Node.Entry(
                            key: entry.key, keyMark: entry.mark,
                            value: entry.value.expanded(value))
                    }))
        }
    }
}
