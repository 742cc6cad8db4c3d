/// Chooses objects by their labels (the API's *tags*).
///
/// ```
/// venue=binance,tier!=test,region in (eu,us),region notin (eu),team,!retired
/// ```
///
/// All requirements must hold. `!=` and `notin` also hold where the key is missing, as in
/// Kubernetes. `==` means `=`. Keys and values that hold blanks or any of `,=!()"` are written in
/// double quotes, inside which `\` takes the next character as it is. The empty text chooses all.
package struct LabelSelector: Sendable, Hashable {
    package enum Requirement: Sendable, Hashable {
        case equals(key: String, value: String)
        case isNot(key: String, value: String)
        case isIn(key: String, values: Set<String>)
        case isNotIn(key: String, values: Set<String>)
        case exists(key: String)
        case isMissing(key: String)
    }

    /// Why a text is no selector.
    package struct ParseError: Error, Sendable, Hashable, CustomStringConvertible {
        /// Counted in characters, from 1.
        package var column: Int
        package var message: String

        package var description: String { "column \(column): \(message)" }
    }

    package let requirements: [Requirement]

    package init(requirements: [Requirement]) {
        self.requirements = requirements
    }

    /// Chooses what has exactly these labels, among others: the tag filters of the API.
    package init(exact labels: [(key: String, value: String)]) {
        self.requirements = labels.map { .equals(key: $0.key, value: $0.value) }
    }

    package init(_ text: String) throws(ParseError) {
        var parser = LabelSelectorParser(text)
        self.requirements = try parser.requirements()
    }

    package func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .equals(let key, let value): labels[key] == value
            case .isNot(let key, let value): labels[key] != value
            case .isIn(let key, let values): labels[key].map(values.contains) ?? false
            case .isNotIn(let key, let values): !(labels[key].map(values.contains) ?? false)
            case .exists(let key): labels[key] != nil
            case .isMissing(let key): labels[key] == nil
            }
        }
    }
}

/// Reads the text form, one token ahead.
private struct LabelSelectorParser {
    private enum Token: Equatable {
        case word(String)
        case symbol(String)
        case end
    }

    private let characters: [Character]
    private var index = 0
    private var token = Token.end
    /// Where ``token`` begins.
    private var column = 1

    init(_ text: String) {
        characters = Array(text)
    }

    mutating func requirements() throws(LabelSelector.ParseError) -> [LabelSelector.Requirement] {
        try advance()
        guard token != .end else { return [] }
        var requirements = [try requirement()]
        while token != .end {
            guard token == .symbol(",") else { throw unexpected("a comma or the end") }
            try advance()
            requirements.append(try requirement())
        }
        return requirements
    }

    private mutating func requirement() throws(LabelSelector.ParseError)
        -> LabelSelector.Requirement
    {
        if token == .symbol("!") {
            try advance()
            return .isMissing(key: try word("a label key after !"))
        }
        let key = try word("a label key")
        switch token {
        case .symbol("="), .symbol("=="):
            try advance()
            return .equals(key: key, value: try value())
        case .symbol("!="):
            try advance()
            return .isNot(key: key, value: try value())
        case .word("in"):
            try advance()
            return .isIn(key: key, values: try list())
        case .word("notin"):
            try advance()
            return .isNotIn(key: key, values: try list())
        case .symbol(","), .end:
            return .exists(key: key)
        case .word, .symbol:
            throw unexpected("=, ==, !=, in, notin or a comma")
        }
    }

    /// A value, which may be empty.
    private mutating func value() throws(LabelSelector.ParseError) -> String {
        switch token {
        case .word: return try word("a value")
        case .symbol(","), .symbol(")"), .end: return ""
        case .symbol: throw unexpected("a value")
        }
    }

    private mutating func list() throws(LabelSelector.ParseError) -> Set<String> {
        guard token == .symbol("(") else { throw unexpected("a list in parentheses") }
        try advance()
        var values: Set = [try value()]
        while token == .symbol(",") {
            try advance()
            values.insert(try value())
        }
        guard token == .symbol(")") else { throw unexpected("a comma or )") }
        try advance()
        return values
    }

    private mutating func word(_ wanted: String) throws(LabelSelector.ParseError) -> String {
        guard case .word(let text) = token else { throw unexpected(wanted) }
        try advance()
        return text
    }

    private func unexpected(_ wanted: String) -> LabelSelector.ParseError {
        let found =
            switch token {
            case .word(let text): "\"\(text)\""
            case .symbol(let text): text
            case .end: "the end"
            }
        return .init(column: column, message: "expected \(wanted), found \(found)")
    }

    // MARK: Tokens

    private mutating func advance() throws(LabelSelector.ParseError) {
        while index < characters.count, characters[index].isWhitespace { index += 1 }
        column = index + 1
        guard index < characters.count else {
            token = .end
            return
        }
        switch characters[index] {
        case "\"":
            token = .word(try quoted())
        case ",", "(", ")":
            token = .symbol(String(characters[index]))
            index += 1
        case "=", "!":
            let hasSecond = index + 1 < characters.count && characters[index + 1] == "="
            token = .symbol(String(characters[index]) + (hasSecond ? "=" : ""))
            index += hasSecond ? 2 : 1
        default:
            let start = index
            while index < characters.count, isBare(characters[index]) { index += 1 }
            token = .word(String(characters[start..<index]))
        }
    }

    private func isBare(_ character: Character) -> Bool {
        !character.isWhitespace && !",=!()\"".contains(character)
    }

    private mutating func quoted() throws(LabelSelector.ParseError) -> String {
        var text = ""
        index += 1
        while index < characters.count, characters[index] != "\"" {
            if characters[index] == "\\", index + 1 < characters.count { index += 1 }
            text.append(characters[index])
            index += 1
        }
        guard index < characters.count else {
            throw .init(column: column, message: "the quote is never closed")
        }
        index += 1
        return text
    }
}
