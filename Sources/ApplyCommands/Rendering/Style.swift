internal import ArgumentParser

/// When to colour.
enum ColorChoice: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// On a terminal, unless `NO_COLOR` is set or it is a dumb one.
    case auto
    case always
    case never

    func colors(isTerminal: Bool, environment: [String: String]) -> Bool {
        switch self {
        case .always: true
        case .never: false
        case .auto:
            isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
        }
    }
}

/// Colours by meaning. No colour says what a word or mark does not say as well.
struct Style: Sendable, Equatable {
    enum Role: String {
        case added = "32"
        case removed = "31"
        case changed = "33"
        case heading = "1"
        case place = "36"
        case faint = "2"
    }

    var isColored: Bool

    static let plain = Style(isColored: false)

    func callAsFunction(_ text: String, _ role: Role) -> String {
        isColored && !text.isEmpty ? "\u{1B}[\(role.rawValue)m\(text)\u{1B}[0m" : text
    }
}
