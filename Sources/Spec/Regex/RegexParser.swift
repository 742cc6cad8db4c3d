/// Reads the syntax of RE2: no back-references, no look-around, nothing that needs to try again.
struct RegexParser {
    static let maxPatternLength = 4096
    private static let maxNesting = 50
    private static let maxRepeat = 1000

    struct Flags {
        var ignoresCase = false
        var multiline = false
        var dotMatchesNewline = false
    }

    private var input: [Unicode.Scalar]
    var at = 0
    var flags = Flags()
    private var nesting = 0

    static func parse(_ pattern: String) throws(RegexError) -> RegexNode {
        guard pattern.utf8.count <= maxPatternLength else {
            throw RegexError(message: "a pattern has at most \(maxPatternLength) bytes")
        }
        var parser = RegexParser(input: Array(pattern.unicodeScalars))
        let node = try parser.readAlternation()
        guard parser.at == parser.input.count else {
            throw RegexError(message: "a \")\" is too many")
        }
        return node
    }

    private init(input: [Unicode.Scalar]) {
        self.input = input
    }

    func peek(_ distance: Int) -> Unicode.Scalar? {
        at + distance < input.count ? input[at + distance] : nil
    }

    var next: Unicode.Scalar? { at < input.count ? input[at] : nil }

    mutating func take() -> Unicode.Scalar? {
        guard at < input.count else { return nil }
        defer { at += 1 }
        return input[at]
    }

    mutating func accept(_ text: String) -> Bool {
        let wanted = text.unicodeScalars
        guard input[at...].starts(with: wanted) else { return false }
        at += wanted.count
        return true
    }

    private mutating func readAlternation() throws(RegexError) -> RegexNode {
        var branches = [try readConcatenation()]
        while accept("|") { branches.append(try readConcatenation()) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func readConcatenation() throws(RegexError) -> RegexNode {
        var items: [RegexNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            if accept("\\Q") {
                while at < input.count, !accept("\\E") {
                    if let literal = take() { items.append(set(of: literal)) }
                }
                if let last = items.popLast() { items.append(try readRepetition(of: last)) }
                continue
            }
            guard let atom = try readAtom() else { continue }
            items.append(try readRepetition(of: atom))
        }
        return items.count == 1 ? items[0] : (items.isEmpty ? .empty : .concatenation(items))
    }

    /// One atom; `nil` where flags were set for what follows.
    private mutating func readAtom() throws(RegexError) -> RegexNode? {
        switch take() {
        case "(": return try readGroup()
        case "[": return .set(try readClass())
        case ".":
            var set = CharacterSet()
            set.insert(
                flags.dotMatchesNewline
                    ? [0...0x10FFFF] : CharacterSet.complement([0x0A...0x0A]))
            set.seal(isNegated: false, ignoresCase: false)
            return .set(set)
        case "^": return .assertion(flags.multiline ? .lineStart : .textStart)
        case "$": return .assertion(flags.multiline ? .lineEnd : .textEnd)
        case "\\": return try readEscape()
        case "*", "+", "?": throw RegexError(message: "a repetition has nothing to repeat")
        case .some(let literal): return set(of: literal)
        case nil: return .empty
        }
    }

    func set(of literal: Unicode.Scalar) -> RegexNode {
        guard flags.ignoresCase else { return .character(literal.value) }
        var set = CharacterSet()
        set.insert(literal.value...literal.value)
        set.seal(isNegated: false, ignoresCase: flags.ignoresCase)
        return .set(set)
    }

    private mutating func readGroup() throws(RegexError) -> RegexNode? {
        let outer = flags
        if accept("?") {
            if accept("P<") || next == "<" && !isLookBehind {
                _ = accept("<")
                try readGroupName()
            } else if try readFlags() {
                return nil
            }
        }
        nesting += 1
        guard nesting <= Self.maxNesting else {
            throw RegexError(message: "groups are nested deeper than \(Self.maxNesting)")
        }
        let node = try readAlternation()
        guard accept(")") else { throw RegexError(message: "a \")\" is missing") }
        nesting -= 1
        flags = outer
        return node
    }

    private var isLookBehind: Bool {
        at + 1 < input.count && (input[at + 1] == "=" || input[at + 1] == "!")
    }

    private mutating func readGroupName() throws(RegexError) {
        var name = ""
        while let scalar = take(), scalar != ">" { name.unicodeScalars.append(scalar) }
        guard CharacterRules.isIdentifier(name) else {
            throw RegexError(message: "the name of a group has letters, digits and \"_\" only")
        }
    }

    /// Reads `flags)` or `flags:`.
    /// - Returns: whether the group ends here, its flags holding for what follows.
    private mutating func readFlags() throws(RegexError) -> Bool {
        var value = true
        while let scalar = take() {
            switch scalar {
            case "i": flags.ignoresCase = value
            case "m": flags.multiline = value
            case "s": flags.dotMatchesNewline = value
            case "U": continue
            case "-": value = false
            case ":": return false
            case ")": return true
            case "=", "!", "<": throw RegexError(message: "look-around is not supported")
            default: throw RegexError(message: "the group's flag \"\(scalar)\" is unknown")
            }
        }
        throw RegexError(message: "a \")\" is missing")
    }

    private mutating func readRepetition(of atom: RegexNode) throws(RegexError) -> RegexNode {
        guard let (minimum, maximum) = try readBounds() else { return atom }
        _ = accept("?")
        let node = RegexNode.repetition(atom, minimum: minimum, maximum: maximum)
        guard try readBounds() == nil else {
            throw RegexError(message: "a repetition follows a repetition; use a group")
        }
        return node
    }

    private mutating func readBounds() throws(RegexError) -> (Int, Int?)? {
        if accept("*") { return (0, nil) }
        if accept("+") { return (1, nil) }
        if accept("?") { return (0, 1) }
        let start = at
        guard accept("{") else { return nil }
        let minimum = readNumber() ?? 0
        var maximum: Int? = minimum
        let hasMinimum = at > start + 1
        if accept(",") { maximum = readNumber() }
        guard hasMinimum, accept("}") else {
            // A brace that begins no repetition stands for itself and is read as the next atom.
            at = start
            return nil
        }
        guard minimum <= Self.maxRepeat, maximum ?? 0 <= Self.maxRepeat else {
            throw RegexError(message: "a repetition has at most \(Self.maxRepeat) rounds")
        }
        guard minimum <= maximum ?? minimum else {
            throw RegexError(message: "a repetition's bounds are the wrong way round")
        }
        return (minimum, maximum)
    }

    private mutating func readNumber() -> Int? {
        var number: Int?
        while let scalar = next, scalar.value >= 0x30, scalar.value <= 0x39 {
            number = min((number ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
            at += 1
        }
        return number
    }
}
