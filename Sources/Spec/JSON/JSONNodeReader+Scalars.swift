// The scalars of JSON.
extension JSONNodeReader {
    mutating func readString() throws(NodeBuilder.Abort) -> String {
        let start = at + 1
        var end = start
        var allBits: UInt8 = 0
        while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != 0x5C,
            bytes[end] >= 0x20
        {
            allBits |= bytes[end]
            end += 1
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else {
            return try readEscapedString()
        }
        let content = UnsafeBufferPointer(rebasing: bytes[start..<end])
        guard allBits >= 0x80 else {
            at = end + 1
            return String(decoding: content, as: UTF8.self)
        }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw fault("a string is not UTF-8")
        }
        lineStart += content.count - text.unicodeScalars.count
        at = end + 1
        return text
    }

    private mutating func readEscapedString() throws(NodeBuilder.Abort) -> String {
        var content: [UInt8] = []
        let start = at
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            let byte = bytes[at]
            guard byte >= 0x20 else {
                throw fault("a control character in a string is not escaped")
            }
            if byte == 0x5C {
                content.append(contentsOf: Array(String(try readEscape()).utf8))
            } else {
                content.append(byte)
                at += 1
            }
        }
        guard at < bytes.count else {
            at = start
            throw fault("a string has no end")
        }
        at += 1
        guard let text = String(validating: content, as: UTF8.self) else {
            throw fault("a string is not UTF-8")
        }
        lineStart += bytes[start..<at].count { $0 & 0xC0 == 0x80 }
        return text
    }

    /// Reads one escape, or a pair of them for a character beyond U+FFFF.
    private mutating func readEscape() throws(NodeBuilder.Abort) -> Unicode.Scalar {
        guard at + 1 < bytes.count else { throw fault("a string has no end") }
        let simple: Unicode.Scalar? =
            switch bytes[at + 1] {
            case UInt8(ascii: "\""): "\""
            case UInt8(ascii: "\\"): "\\"
            case UInt8(ascii: "/"): "/"
            case UInt8(ascii: "b"): "\u{08}"
            case UInt8(ascii: "f"): "\u{0C}"
            case UInt8(ascii: "n"): "\n"
            case UInt8(ascii: "r"): "\r"
            case UInt8(ascii: "t"): "\t"
            default: nil
            }
        if let simple {
            at += 2
            return simple
        }
        let high = try readUnit()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard (0xD800..<0xDC00).contains(high), at < bytes.count, bytes[at] == 0x5C else {
            throw fault("half of a surrogate pair stands alone")
        }
        let low = try readUnit()
        guard (0xDC00..<0xE000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        else {
            throw fault("half of a surrogate pair stands alone")
        }
        return scalar
    }

    /// Reads `\uXXXX`.
    private mutating func readUnit() throws(NodeBuilder.Abort) -> UInt32 {
        guard at + 6 <= bytes.count, bytes[at] == 0x5C, bytes[at + 1] == UInt8(ascii: "u") else {
            throw fault("an escape is unknown")
        }
        let digits = bytes[(at + 2)..<(at + 6)]
        guard digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
            let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else {
            throw fault("an escape is unknown")
        }
        at += 6
        return unit
    }

    /// Reads `true`, `false`, `null` or a number as text.
    mutating func readLiteral() throws(NodeBuilder.Abort) -> String {
        let rest = bytes[at...]
        let word: String? =
            switch bytes[at] {
            case UInt8(ascii: "t"): "true"
            case UInt8(ascii: "f"): "false"
            case UInt8(ascii: "n"): "null"
            default: nil
            }
        if let word, rest.starts(with: word.utf8) {
            at += word.utf8.count
            return word
        }
        let length = JSONNumber.length(rest)
        guard length > 0 else { throw fault("a value is missing here") }
        defer { at += length }
        return String(decoding: rest.prefix(length), as: UTF8.self)
    }
}
