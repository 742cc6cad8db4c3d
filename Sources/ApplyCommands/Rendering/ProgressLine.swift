/// The line that says how far a command is: rewritten in place on a terminal, else a line now and then.
///
/// Pure: it answers with the text to write and is told the time.
struct ProgressLine: Sendable {
    enum Mode: Sendable, Equatable {
        /// In place, never wider than so many columns.
        case live(width: Int)
        /// Whole lines, only on a change and at most one in two seconds.
        case plain
        case silent
    }

    static let plainInterval = Duration.seconds(2)
    private static let clear = "\r\u{1B}[K"

    let mode: Mode
    private var shown = ""
    private var lastPlain: Duration?

    init(mode: Mode) {
        self.mode = mode
    }

    /// The text to write for a new state of things; empty where nothing is due.
    mutating func show(_ text: String, now: Duration) -> String {
        guard text != shown else { return "" }
        switch mode {
        case .silent:
            return ""
        case .live(let width):
            shown = text
            return Self.clear + TerminalText.truncated(text, to: max(1, width - 1))
        case .plain:
            if let lastPlain, now - lastPlain < Self.plainInterval { return "" }
            shown = text
            lastPlain = now
            return text + "\n"
        }
    }

    /// The text to write before anything else is written, or at the end.
    mutating func hide() -> String {
        guard case .live = mode, !shown.isEmpty else { return "" }
        shown = ""
        return Self.clear
    }
}
