/// Reads a JSON text (RFC 8259), strictly: UTF-8, one value, no name twice in an object.
struct JSONParser {
    /// Arrays and objects within each other: a manifest has about ten, and each level is stack.
    static let maxDepth = 64

    /// What is wrong, in one sentence with line and column.
    struct Problem: Error, CustomStringConvertible {
        var description: String
    }

    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0

    static func parse(_ bytes: [UInt8]) throws(Problem) -> JSONNode {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw Problem(description: "the JSON text is not UTF-8")
        }
        var parser = JSONParser(bytes: bytes)
        parser.skipBlanks()
        guard parser.at < bytes.count else {
            throw Problem(description: "the JSON text is empty")
        }
        let node = try parser.readValue()
        parser.skipBlanks()
        guard parser.at == bytes.count else {
            throw parser.problem("there is more after the end of the value")
        }
        return node
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    // MARK: Values

    private mutating func readValue() throws(Problem) -> JSONNode {
        let start = at
        guard at < bytes.count else { throw problem("the text ends where a value must be") }
        let value: JSONNode.Value
        switch bytes[at] {
        case UInt8(ascii: "{"): value = try readObject()
        case UInt8(ascii: "["): value = try readArray()
        case UInt8(ascii: "\""): value = .string(try readString())
        case UInt8(ascii: "t"): value = try readWord("true", .bool(true))
        case UInt8(ascii: "f"): value = try readWord("false", .bool(false))
        case UInt8(ascii: "n"): value = try readWord("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            value = .number(try readNumber())
        default: throw problem("there is no value that begins like this")
        }
        return JSONNode(value, range: start..<at)
    }

    private mutating func readObject() throws(Problem) -> JSONNode.Value {
        try enter()
        var members: [JSONNode.Member] = []
        var names = Set<String>()
        if take(UInt8(ascii: "}")) {
            depth -= 1
            return .object([])
        }
        while true {
            skipBlanks()
            let place = at
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
                throw problem("a name in quotes must be here")
            }
            let name = try readString()
            guard names.insert(name).inserted else {
                throw problem("the name \(Quoted(name)) appears twice in one object", at: place)
            }
            guard take(UInt8(ascii: ":")) else { throw problem("a colon must follow the name") }
            skipBlanks()
            members.append(JSONNode.Member(name: name, node: try readValue()))
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "}")) else {
                throw problem("a comma or the end of the object must be here")
            }
            depth -= 1
            return .object(members)
        }
    }

    private mutating func readArray() throws(Problem) -> JSONNode.Value {
        try enter()
        var elements: [JSONNode] = []
        if take(UInt8(ascii: "]")) {
            depth -= 1
            return .array([])
        }
        while true {
            skipBlanks()
            elements.append(try readValue())
            if take(UInt8(ascii: ",")) { continue }
            guard take(UInt8(ascii: "]")) else {
                throw problem("a comma or the end of the array must be here")
            }
            depth -= 1
            return .array(elements)
        }
    }

    private mutating func enter() throws(Problem) {
        depth += 1
        guard depth <= Self.maxDepth else {
            throw problem("arrays and objects lie more than \(Self.maxDepth) deep")
        }
        at += 1
    }

    private mutating func readWord(
        _ word: StaticString, _ value: JSONNode.Value
    ) throws(Problem) -> JSONNode.Value {
        let length = word.utf8CodeUnitCount
        let matches = word.withUTF8Buffer { bytes[at...].starts(with: $0) }
        guard matches else { throw problem("there is no value that begins like this") }
        at += length
        return value
    }

    private mutating func readNumber() throws(Problem) -> String {
        let start = at
        _ = here(UInt8(ascii: "-"))
        let digits = skipDigits()
        guard digits > 0 else { throw problem("a digit must be here") }
        guard digits == 1 || bytes[at - digits] != UInt8(ascii: "0") else {
            throw problem("a number must not begin with 0", at: start)
        }
        if here(UInt8(ascii: ".")) {
            guard skipDigits() > 0 else { throw problem("a digit must follow the point") }
        }
        if here(UInt8(ascii: "e")) || here(UInt8(ascii: "E")) {
            if !here(UInt8(ascii: "+")) { _ = here(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw problem("a digit must be in the exponent") }
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func skipDigits() -> Int {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) {
            at += 1
        }
        return at - start
    }
}

// MARK: - Strings and places

extension JSONParser {
    private mutating func readString() throws(Problem) -> String {
        at += 1
        let start = at
        while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != 0x5C,
            bytes[at] >= 0x20
        {
            at += 1
        }
        if at < bytes.count, bytes[at] == UInt8(ascii: "\"") {
            at += 1
            return String(decoding: bytes[start..<at - 1], as: UTF8.self)
        }
        var content = Array(bytes[start..<at])
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            guard bytes[at] >= 0x20 else {
                throw problem("a control character in a string is not escaped")
            }
            if bytes[at] == 0x5C {
                content += Array(String(try readEscape()).utf8)
            } else {
                content.append(bytes[at])
                at += 1
            }
        }
        guard at < bytes.count else { throw problem("a string has no end", at: start - 1) }
        at += 1
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func readEscape() throws(Problem) -> Unicode.Scalar {
        let place = at
        guard at + 1 < bytes.count else { throw problem("a string has no end") }
        let kind = bytes[at + 1]
        at += 2
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(kind)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw problem("there is no such escape in JSON", at: place)
        }
        let first = try readHex(place)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), at + 1 < bytes.count, bytes[at] == 0x5C,
            bytes[at + 1] == UInt8(ascii: "u")
        else { throw problem("half of a surrogate pair stands alone", at: place) }
        at += 2
        let second = try readHex(place)
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw problem("half of a surrogate pair stands alone", at: place) }
        return scalar
    }

    private mutating func readHex(_ place: Int) throws(Problem) -> UInt32 {
        guard at + 4 <= bytes.count,
            bytes[at..<at + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw problem("four hexadecimal digits must follow \\u", at: place) }
        at += 4
        return value
    }

    private mutating func skipBlanks() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    /// Skips blanks and this byte, if it is next.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        return here(byte)
    }

    private mutating func here(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private func problem(_ sentence: String, at place: Int? = nil) -> Problem {
        let before = bytes[..<min(place ?? at, bytes.count)]
        let line = before.count { $0 == 0x0A } + 1
        let column =
            before.reversed().prefix { $0 != 0x0A }.count { $0 & 0xC0 != 0x80 } + 1
        return Problem(description: "line \(line), column \(column): \(sentence)")
    }
}

/// A text of a caller's, short enough and on one line for a sentence.
struct Quoted: CustomStringConvertible {
    static let maxCharacters = 64
    private let text: String

    init(_ text: some StringProtocol) {
        self.text = String(text.prefix(Self.maxCharacters + 1))
    }

    var description: String {
        var out: [UInt8] = []
        JSONText.append(String(text.prefix(Self.maxCharacters)), to: &out)
        let quoted = String(decoding: out, as: UTF8.self)
        return text.count > Self.maxCharacters ? quoted.dropLast() + "…\"" : quoted
    }
}
