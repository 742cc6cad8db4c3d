/// The type of a JSON value.
package enum JSONType: Sendable, Hashable {
    case object, array, string, number, bool, null
}

/// Where a value stands in a JSON text.
package struct JSONValueLocation: Sendable, Hashable {
    package var type: JSONType
    /// The bytes of the value, quotes and braces included, white space around it not.
    package var range: Range<Int>
    /// Where its `"key": value` begins, if it is the member of an object.
    package var memberStart: Int?
}

/// Reads JSON in UTF-8 bytes without building a tree: is it JSON, and where is the value at a path?
/// Also edits it, see `JSONText+Edit.swift`.
///
/// One pass over the bytes, which always checks all of them (RFC 8259), so that nothing malformed is
/// ever spliced into a larger text. Stricter than the grammar in two points, since a strict
/// consumer would refuse the whole event: an escaped surrogate must have its partner, and
/// nothing is nested deeper than ``deepest``. Of duplicate keys the last counts, as in most parsers.
package enum JSONText {
    /// Deepest nesting taken; what common parsers take too (64 to 128), and it bounds our stack.
    package static let deepest = 128

    /// What ``locate(_:in:)`` found.
    package enum Lookup: Sendable, Hashable {
        case found(JSONValueLocation)
        /// Not there, but could be added as the first member of an object.
        case absent(JSONInsertion)
        /// Not there, and an array or a scalar is in the way.
        case unreachable
        case notJSON
    }

    /// The type of the whole text's value; `nil` if the text is not JSON.
    package static func type(of bytes: [UInt8]) -> JSONType? {
        bytes.withUnsafeBufferPointer { type(of: $0) }
    }

    static func type(of bytes: UnsafeBufferPointer<UInt8>) -> JSONType? {
        var cursor = JSONCursor(bytes: bytes, path: [])
        return cursor.wholeText()
    }

    /// Finds the value at the end of a route.
    package static func locate(_ path: JSONRoute, in bytes: [UInt8]) -> Lookup {
        bytes.withUnsafeBufferPointer { buffer in
            var cursor = JSONCursor(bytes: buffer, path: path.parts)
            guard cursor.wholeText() != nil else { return .notJSON }
            if let found = cursor.found { return .found(found) }
            return cursor.insertion.map { .absent($0) } ?? .unreachable
        }
    }

    /// The text that a JSON string stands for, as UTF-8.
    ///
    /// - Parameter range: Of a string that this scanner has located, quotes included.
    package static func unescaped(_ bytes: [UInt8], _ range: Range<Int>) -> [UInt8] {
        bytes.withUnsafeBufferPointer { buffer in
            JSONUnescape.text(UnsafeBufferPointer(rebasing: buffer[range].dropFirst().dropLast()))
        }
    }

    /// True if the first byte that is not white space opens an object: a cheap test before a scan.
    package static func looksLikeObject(_ bytes: [UInt8]) -> Bool {
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return first == UInt8(ascii: "{")
    }
}

/// Walks over one JSON text, once, and remembers where a path led.
struct JSONCursor {
    let bytes: UnsafeBufferPointer<UInt8>
    let path: [JSONRoute.Part]
    private(set) var found: JSONValueLocation?
    private(set) var insertion: JSONInsertion?
    private var index = 0

    /// A value that the path does not lead to.
    private static let offPath = -1

    init(bytes: UnsafeBufferPointer<UInt8>, path: [JSONRoute.Part]) {
        self.bytes = bytes
        self.path = path
    }

    /// Reads the whole text: white space, one value, white space, the end.
    mutating func wholeText() -> JSONType? {
        skipWhitespace()
        let type = value(depth: 0, level: path.isEmpty ? Self.offPath : 0, memberStart: nil)
        skipWhitespace()
        return index == bytes.count ? type : nil
    }

    /// Reads one value. `level`: how many parts of the path lead here, or ``offPath``.
    private mutating func value(depth: Int, level: Int, memberStart: Int?) -> JSONType? {
        guard index < bytes.count else { return nil }
        let start = index
        let type: JSONType?
        switch bytes[index] {
        case UInt8(ascii: "{"): type = object(depth: depth + 1, level: level) ? .object : nil
        case UInt8(ascii: "["): type = array(depth: depth + 1, level: level) ? .array : nil
        case UInt8(ascii: "\""): type = string() != nil ? .string : nil
        case UInt8(ascii: "t"): type = word("true") ? .bool : nil
        case UInt8(ascii: "f"): type = word("false") ? .bool : nil
        case UInt8(ascii: "n"): type = word("null") ? .null : nil
        default: type = number() ? .number : nil
        }
        if let type, level == path.count, level > 0 {
            found = JSONValueLocation(type: type, range: start..<index, memberStart: memberStart)
        }
        return type
    }

    private mutating func object(depth: Int, level: Int) -> Bool {
        guard depth <= JSONText.deepest else { return false }
        let isOnPath = level >= 0 && level < path.count
        index += 1
        let bodyStart = index
        var isEmpty = true
        var hasPart = false
        skipWhitespace()
        while !take("}") {
            if !isEmpty {
                guard take(",") else { return false }
                skipWhitespace()
            }
            isEmpty = false
            let memberStart = index
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\""), let key = string()
            else { return false }
            let isPart = isOnPath && matches(key, path[level].key)
            if isPart { (hasPart, found, insertion) = (true, nil, nil) }
            skipWhitespace()
            guard take(":") else { return false }
            skipWhitespace()
            let next = isPart ? level + 1 : Self.offPath
            guard value(depth: depth, level: next, memberStart: memberStart) != nil
            else { return false }
            skipWhitespace()
        }
        if isOnPath, !hasPart {
            insertion = JSONInsertion(at: bodyStart, isOnlyMember: isEmpty, existingParts: level)
        }
        return true
    }

    private mutating func array(depth: Int, level: Int) -> Bool {
        guard depth <= JSONText.deepest else { return false }
        let wanted = level >= 0 && level < path.count ? path[level].index : nil
        index += 1
        var count = 0
        skipWhitespace()
        while !take("]") {
            if count > 0 {
                guard take(",") else { return false }
                skipWhitespace()
            }
            let next = wanted == count ? level + 1 : Self.offPath
            guard value(depth: depth, level: next, memberStart: nil) != nil else { return false }
            count += 1
            skipWhitespace()
        }
        return true
    }
}

// MARK: Tokens

extension JSONCursor {
    private mutating func skipWhitespace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D: index += 1
            default: return
            }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func word(_ word: StaticString) -> Bool {
        for offset in 0..<word.utf8CodeUnitCount {
            guard index < bytes.count, bytes[index] == word.utf8Start[offset] else { return false }
            index += 1
        }
        return true
    }

    /// Reads a string from its opening quote on.
    ///
    /// - Returns: What stands between the quotes, still escaped; `nil` if malformed.
    private mutating func string() -> Range<Int>? {
        index += 1
        let start = index
        while true {
            index = JSONWords.endOfPlainRun(bytes, from: index, allowingNonASCII: false)
            guard index < bytes.count else { return nil }
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return start..<index - 1
            case UInt8(ascii: "\\"):
                guard let length = JSONUnescape.escapeLength(bytes, at: index) else { return nil }
                index += length
            case 0x80...:
                guard let length = UTF8Check.sequenceLength(bytes, at: index) else { return nil }
                index += length
            default:
                return nil
            }
        }
    }

    private mutating func number() -> Bool {
        _ = take("-")
        if !take("0") { guard digits() else { return false } }
        if take(".") { guard digits() else { return false } }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() else { return false }
        }
        return true
    }

    private mutating func digits() -> Bool {
        let start = index
        while index < bytes.count, bytes[index] &- UInt8(ascii: "0") < 10 { index += 1 }
        return index > start
    }

    /// True if the string between these quotes is `key`, also if it is spelled with escapes.
    private func matches(_ string: Range<Int>, _ key: [UInt8]) -> Bool {
        let raw = UnsafeBufferPointer(rebasing: bytes[string])
        if raw.elementsEqual(key) { return true }
        guard raw.contains(UInt8(ascii: "\\")) else { return false }
        return JSONUnescape.text(raw) == key
    }
}
