/// Text that came from elsewhere, made fit for a terminal.
enum TerminalText {
    /// Replaces control characters, so that no remote text moves the cursor or changes colours.
    ///
    /// - Parameter kept: Control characters that stay.
    static func safe(_ text: String, keeping kept: Set<Unicode.Scalar> = []) -> String {
        guard text.unicodeScalars.contains(where: { isControl($0) }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            result.append(isControl(scalar) && !kept.contains(scalar) ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }

    /// The text on one line: line breaks become blanks.
    static func singleLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline)
        return safe(lines.joined(separator: " "))
    }

    /// Columns a terminal needs: two for wide East Asian characters and emoji, none for marks.
    static func columns(_ text: some StringProtocol) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + columns($1) }
    }

    /// At most so many columns; what is cut off is replaced by `…`.
    static func truncated(_ text: String, to width: Int) -> String {
        guard columns(text) > width else { return text }
        return prefix(text, columns: width - 1) + "…"
    }

    /// Keeps the beginning and the end, which in a URL say most.
    static func truncatedInside(_ text: String, to width: Int) -> String {
        guard columns(text) > width else { return text }
        let tail = max(0, (width - 1) / 3)
        let end = String(prefix(String(text.reversed()), columns: tail).reversed())
        return prefix(text, columns: width - 1 - columns(end)) + "…" + end
    }

    private static func prefix(_ text: String, columns width: Int) -> String {
        var result = ""
        var used = 0
        for character in text {
            used += columns(character)
            guard used <= width else { break }
            result.append(character)
        }
        return result
    }

    private static func columns(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        case 0x0300...0x036F, 0x200B...0x200F, 0xFE00...0xFE0F:
            return 0
        default:
            return 1
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }
}
