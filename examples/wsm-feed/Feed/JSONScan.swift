/// Finds a member of a JSON object without changing a byte of it, and writes JSON strings.
enum JSONScan {
    /// The text of a top-level member's value; nil when the text is no object or has no such member.
    static func value(of name: String, in text: [UInt8]) -> ArraySlice<UInt8>? {
        let wanted = Array("\"\(name)\"".utf8)[...]
        var rest = Self.trimmed(text[...])
        guard rest.popFirst() == UInt8(ascii: "{") else { return nil }
        while true {
            rest = Self.trimmed(rest)
            let key = Self.string(rest)
            guard !key.isEmpty else { return nil }
            rest = Self.trimmed(rest.dropFirst(key.count))
            guard rest.popFirst() == UInt8(ascii: ":") else { return nil }
            let value = Self.scan(Self.trimmed(rest))
            guard !value.isEmpty else { return nil }
            if key == wanted { return value }
            rest = Self.trimmed(text[value.endIndex...])
            guard rest.popFirst() == UInt8(ascii: ",") else { return nil }
        }
    }

    /// A string in quotes, escaped.
    static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        text.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    /// The string at the beginning with its quotes; empty when there is none.
    private static func string(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.first == UInt8(ascii: "\"") else { return text.prefix(0) }
        var isEscaped = false
        for index in text.indices.dropFirst() {
            if isEscaped {
                isEscaped = false
            } else if text[index] == UInt8(ascii: "\\") {
                isEscaped = true
            } else if text[index] == UInt8(ascii: "\"") {
                return text[...index]
            }
        }
        return text.prefix(0)
    }

    /// The value at the beginning; empty when there is none or it has no end.
    private static func scan(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var depth = 0
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case UInt8(ascii: "\""):
                let string = Self.string(text[index...])
                guard !string.isEmpty else { return text.prefix(0) }
                index = string.endIndex
                if depth == 0 { return text[..<index] }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return text[..<index] }
                depth -= 1
                if depth == 0 { return text[...index] }
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                if depth == 0 { return text[..<index] }
            default:
                break
            }
            index += 1
        }
        return text.prefix(0)
    }
}
