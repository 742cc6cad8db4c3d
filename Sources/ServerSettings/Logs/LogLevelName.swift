package import Logging
package import Spec

/// The words for log levels: swift-log's and those of the older service, in any case.
package enum LogLevelName {
    package static let none = "none"

    /// As the documents list them; each with what it means.
    private static let words: [(word: String, level: Logger.Level?)] = [
        ("trace", .trace), ("debug", .debug), ("info", .info), ("notice", .notice),
        ("warning", .warning), ("error", .error), ("critical", .critical), (none, nil),
    ]
    /// Further spellings, in small letters.
    private static let others: [String: Logger.Level] = ["information": .info, "warn": .warning]

    package static let documented = words.map(\.word) + ["Information"]

    /// - Returns: `nil` for the level that logs nothing.
    package static func parse(_ text: String) throws(SyntaxProblem) -> Logger.Level? {
        let lower = text.lowercased()
        if let level = others[lower] { return level }
        guard let found = words.first(where: { $0.word == lower }) else {
            throw SyntaxProblem(
                "it must be \(words.map(\.word).joined(separator: ", "))"
                    + Suggestion.hint(text, among: words.map(\.word) + others.keys.sorted()))
        }
        return found.level
    }
}
