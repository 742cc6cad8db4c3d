/// Writes a tree as block YAML: plain where it is safe, quoted where it is not, `|` for lines.
///
/// What it writes reads as the same values under YAML 1.1 and 1.2.
struct YAMLWriter {
    private(set) var text = ""
    /// Longer keys are written with `? `, since YAML ends an implicit key at 1024 characters.
    private static let maxImplicitKey = 256

    mutating func document(_ value: JSONValue) {
        switch value {
        case .object(let members) where !members.isEmpty: block(members, indent: 0)
        case .array(let items) where !items.isEmpty: block(items, indent: 0)
        default:
            text += inline(value)
            text += "\n"
        }
    }

    private mutating func block(
        _ members: [JSONValue.Member], indent: Int, firstIsIndented: Bool = false
    ) {
        for (index, member) in members.enumerated() {
            if index > 0 || !firstIsIndented { pad(indent) }
            let key = YAMLScalar.inline(member.key)
            if key.utf8.count > Self.maxImplicitKey {
                text += "? \(key)\n"
                pad(indent)
            } else {
                text += key
            }
            text += ":"
            value(member.value, indent: indent)
        }
    }

    private mutating func block(_ items: [JSONValue], indent: Int, firstIsIndented: Bool = false) {
        for (index, item) in items.enumerated() {
            if index > 0 || !firstIsIndented { pad(indent) }
            text += "-"
            switch item {
            case .object(let members) where !members.isEmpty:
                text += " "
                block(members, indent: indent + 2, firstIsIndented: true)
            case .array(let items) where !items.isEmpty:
                text += " "
                block(items, indent: indent + 2, firstIsIndented: true)
            default:
                value(item, indent: indent)
            }
        }
    }

    /// What stands after `key:` or `-`, with its line end.
    private mutating func value(_ value: JSONValue, indent: Int) {
        switch value {
        case .object(let members) where !members.isEmpty:
            text += "\n"
            block(members, indent: indent + 2)
        case .array(let items) where !items.isEmpty:
            text += "\n"
            block(items, indent: indent + 2)
        case .string(let string) where YAMLScalar.suitsBlock(string):
            lines(string, indent: indent + 2)
        default:
            text += " \(inline(value))\n"
        }
    }

    /// A literal block; its last line has no end (`-`) or one.
    private mutating func lines(_ string: String, indent: Int) {
        let endsLine = string.hasSuffix("\n")
        text += endsLine ? " |\n" : " |-\n"
        let body = endsLine ? string.dropLast() : string[...]
        for line in body.split(separator: "\n", omittingEmptySubsequences: false) {
            if !line.isEmpty { pad(indent) }
            text += line
            text += "\n"
        }
    }

    private func inline(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let bool): bool ? "true" : "false"
        case .number(let number): number
        case .string(let string): YAMLScalar.inline(string)
        case .array: "[]"
        case .object: "{}"
        }
    }

    private mutating func pad(_ indent: Int) {
        for _ in 0..<indent { text.unicodeScalars.append(" ") }
    }
}

/// How a string is written in YAML.
enum YAMLScalar {
    /// Plain, in single quotes, or with escapes: the first that reads as the same string.
    static func inline(_ text: String) -> String {
        if isPlain(text) { return text }
        if text.unicodeScalars.allSatisfy({ isPrintable($0) && $0 != "\n" }) {
            return "'"
                + text.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "''") + "'"
        }
        return escaped(text)
    }

    /// Whether a literal block of lines shows the text and keeps it.
    static func suitsBlock(_ text: String) -> Bool {
        guard text.utf8.contains(0x0A), let first = text.utf8.first, first != 0x20, first != 0x0A,
            text != "\n", !text.hasSuffix("\n\n")
        else { return false }
        guard text.unicodeScalars.allSatisfy({ isPrintable($0) || $0 == "\n" }) else {
            return false
        }
        return text.split(separator: "\n").allSatisfy { $0.last != " " }
    }

    /// Conservative: what a person would leave unquoted without thinking.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.last != UInt8(ascii: ":") else { return false }
        guard
            isLetter(first) || first == UInt8(ascii: "/") || first == UInt8(ascii: "_")
                || isDigit(first), !isReserved(text)
        else { return false }
        guard Scalar.plain(text).kind == .string, !looksLikeNumber(text) else { return false }
        var previous: UInt8 = 0
        for byte in text.utf8 {
            guard isPlainByte(byte, after: previous) else { return false }
            previous = byte
        }
        return true
    }

    private static func isPlainByte(_ byte: UInt8, after previous: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "/"),
            UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "="), UInt8(ascii: "&"),
            UInt8(ascii: "?"), UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: "~"),
            UInt8(ascii: "$"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ";"),
            UInt8(ascii: "*"), UInt8(ascii: "!"):
            true
        default:
            isLetter(byte) || isDigit(byte)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// Words that YAML 1.1 takes for bools or null.
    private static func isReserved(_ text: String) -> Bool {
        ["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(text.lowercased())
    }

    /// Numbers, dates and sexagesimals of YAML 1.1: digits and marks, no letter but of a number.
    private static func looksLikeNumber(_ text: String) -> Bool {
        guard let first = text.utf8.first, isDigit(first) else { return false }
        return text.utf8.allSatisfy { byte in
            isDigit(byte) || "._-+:eExXoOabcdfABCDFTZ".utf8.contains(byte)
        }
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD,
            0x10000...0x10FFFF:
            true
        default: false
        }
    }

    private static func escaped(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
            default:
                let hex = String(scalar.value, radix: 16, uppercase: true)
                let width = scalar.value > 0xFFFF ? 8 : 4
                let zeros = String(repeating: "0", count: width - hex.utf8.count)
                result += (width == 8 ? "\\U" : "\\u") + zeros + hex
            }
        }
        return result + "\""
    }
}
