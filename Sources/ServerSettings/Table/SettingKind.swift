package import Logging
package import Spec

/// A setting's value after it was read.
package enum SettingValue: Sendable, Hashable {
    case text(String)
    case integer(Int)
    case number(Double)
    case duration(Duration)
    case flag(Bool)
    case list([String])
    /// `nil`: nothing at all is logged.
    case level(Logger.Level?)
}

/// The type of a setting, and what its values may be.
package enum SettingKind: Sendable {
    case text(bytes: ClosedRange<Int>)
    case path
    case integer(ClosedRange<Int>)
    /// Above 0.
    case number
    case size(atLeast: Int)
    case duration(ClosedRange<Duration>)
    /// A number, where 0 is for ever, or the word `none`.
    case attempts(ClosedRange<Int>)
    case flag
    case list
    case level
    /// One of these; `later` are words of a version to come, with what is said about them.
    case choice([String], later: [String: String] = [:])
}

// MARK: Reading

extension SettingKind {
    /// Reads one value; a list gets its elements one by one, in ``parseList(_:)``.
    ///
    /// - Throws: a sentence that goes on from `NAME is VALUE: `.
    package func parse(_ text: String) throws(SyntaxProblem) -> SettingValue {
        switch self {
        case .text(let bytes):
            guard bytes.contains(text.utf8.count) else {
                throw SyntaxProblem("it must have \(bytes.lowerBound) to \(bytes.upperBound) bytes")
            }
            return .text(text)
        case .path:
            guard !text.isEmpty else { throw "a path is wanted" }
            guard !text.utf8.contains(0) else { throw "a path has no NUL" }
            return .text(text)
        case .integer(let range):
            return .integer(try Self.integer(text, range))
        case .number:
            guard let number = Double(text), number > 0, number.isFinite else {
                throw "it must be a number above 0"
            }
            return .number(number)
        case .size(let least):
            let bytes = try SizeText.parse(text)
            guard bytes >= least else {
                throw SyntaxProblem("it must be at least \(SizeText.format(least))")
            }
            return .integer(bytes)
        case .duration(let range):
            let duration = try DurationText.parse(text)
            guard range.contains(duration) else {
                throw SyntaxProblem("it must be \(Self.words(range))")
            }
            return .duration(duration)
        case .attempts(let range):
            return text == Self.noAttempts ? .text(text) : .integer(try Self.integer(text, range))
        case .flag:
            return .flag(try Self.bool(text))
        case .list:
            return try Self.list([text])
        case .level:
            return .level(try LogLevelName.parse(text))
        case .choice(let words, let later):
            guard words.contains(text) else {
                if let sentence = later[text] { throw SyntaxProblem(sentence) }
                throw SyntaxProblem(
                    "it must be \(words.joined(separator: " or "))"
                        + Suggestion.hint(text, among: words))
            }
            return .text(text)
        }
    }

    /// Reads what was given more than once: a list is put together, of others the last counts.
    package func parse(all texts: [String]) throws(SyntaxProblem) -> SettingValue {
        if case .list = self { return try Self.list(texts) }
        guard let last = texts.last else { throw "it has no value" }
        return try parse(last)
    }

    static let noAttempts = "none"

    private static func integer(
        _ text: String, _ range: ClosedRange<Int>
    ) throws(SyntaxProblem) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw SyntaxProblem(
                "it must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private static func bool(_ text: String) throws(SyntaxProblem) -> Bool {
        switch text.lowercased() {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off", "": return false
        default: throw "it must be true or false"
        }
    }

    /// Elements stand in values of their own, or between commas.
    private static func list(_ texts: [String]) throws(SyntaxProblem) -> SettingValue {
        var elements: [String] = []
        for part in texts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: true) }) {
            let element = String(part.trimmingBlanks)
            if !element.isEmpty, !elements.contains(element) { elements.append(element) }
        }
        return .list(elements)
    }

    private static func words(_ range: ClosedRange<Duration>) -> String {
        "\(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
    }
}

extension Substring {
    /// Without blanks and tabs at both ends.
    fileprivate var trimmingBlanks: Substring {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        let rest = drop(while: isBlank)
        guard let last = rest.lastIndex(where: { !isBlank($0) }) else { return rest.prefix(0) }
        return rest[...last]
    }
}

// MARK: Writing

extension SettingKind {
    package var typeName: String {
        switch self {
        case .text: "text"
        case .path: "path"
        case .integer: "int"
        case .number: "number"
        case .size: "size"
        case .duration: "duration"
        case .attempts: "int or `none`"
        case .flag: "flag"
        case .list: "list"
        case .level: "level"
        case .choice: "word"
        }
    }

    package var rangeText: String {
        switch self {
        case .text(let bytes): "\(bytes.lowerBound)-\(bytes.upperBound) bytes"
        case .path, .flag, .list: ""
        case .integer(let range): "\(range.lowerBound)-\(range.upperBound)"
        case .number: "above 0"
        case .size(let least): "at least \(SizeText.format(least))"
        case .duration(let range):
            "\(DurationText.format(range.lowerBound))-\(DurationText.format(range.upperBound))"
        case .attempts(let range): "\(range.lowerBound)-\(range.upperBound); 0 is for ever"
        case .level: LogLevelName.documented.map { "`\($0)`" }.joined(separator: ", ")
        case .choice(let words, _): words.map { "`\($0)`" }.joined(separator: ", ")
        }
    }

    /// The value as a flag would take it.
    package func text(_ value: SettingValue) -> String {
        switch (self, value) {
        case (.size, .integer(let bytes)): SizeText.format(bytes)
        case (_, .text(let text)): text
        case (_, .integer(let number)): String(number)
        case (_, .number(let number)):
            number == number.rounded() && abs(number) < 1e15
                ? String(Int64(number)) : String(number)
        case (_, .duration(let duration)): DurationText.format(duration)
        case (_, .flag(let isOn)): isOn ? "true" : "false"
        case (_, .list(let elements)): elements.joined(separator: ",")
        case (_, .level(let level)): level?.rawValue ?? LogLevelName.none
        }
    }
}
