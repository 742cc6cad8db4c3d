/// Text from anywhere, made safe for one line of a log.
///
/// What a remote sends may stand in metadata: it must neither begin a line of its own, nor pass for
/// another key, nor move the cursor of the terminal it is read in.
enum LogText {
    /// The value as it is if it is one plain word, else in quotes.
    static func value(_ text: String) -> String {
        isPlain(text) ? text : quoted(text)
    }

    /// In quotes; `"`, `\` and whatever is not to be seen are escaped.
    static func quoted(_ text: String) -> String {
        "\"" + escaped(text, quotes: true) + "\""
    }

    /// Without quotes: for the message, which is static but for a fault in the program.
    static func escaped(_ text: String, quotes: Bool = false) -> String {
        if text.utf8.allSatisfy(isHarmless) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\\": result += quotes ? "\\\\" : "\\"
            case "\"": result += quotes ? "\\\"" : "\""
            case _ where isHidden(scalar):
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Visible in ASCII, and never escaped: nearly every text has nothing else.
    private static func isHarmless(_ byte: UInt8) -> Bool {
        (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private static func isPlain(_ text: String) -> Bool {
        if text.utf8.allSatisfy(isPlain) { return !text.isEmpty }
        return text.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII ? isPlain(UInt8(truncatingIfNeeded: scalar.value)) : !isHidden(scalar)
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        isHarmless(byte) && byte != UInt8(ascii: " ") && byte != UInt8(ascii: "=")
            && byte != UInt8(ascii: "[") && byte != UInt8(ascii: "]")
    }

    /// Control characters, other line ends, and what changes the direction of text.
    static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
            .unassigned:
            true
        default: false
        }
    }
}
