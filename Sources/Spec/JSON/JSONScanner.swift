/// Finds the value at a path in the bytes of a JSON document without building a tree.
///
/// It allocates for keys with escapes only, and reads no further than the value. What is no JSON
/// before that place has no value; what comes after is not looked at.
package struct JSONScanner {
    /// Depth beyond which a document counts as none.
    private static let maxDepth = 512

    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The bytes of the value at `path`, as written; `nil` where there is none.
    package static func find(
        _ path: JSONPath, in bytes: UnsafeRawBufferPointer
    ) -> Range<Int>? {
        var scanner = JSONScanner(bytes)
        for segment in path.segments {
            guard scanner.enter(segment) else { return nil }
        }
        scanner.skipBlanks()
        let start = scanner.at
        return scanner.skipValue() ? start..<scanner.at : nil
    }

    private mutating func enter(_ segment: String) -> Bool {
        skipBlanks()
        switch take() {
        case UInt8(ascii: "{"): return enterMember(segment)
        case UInt8(ascii: "["): return enterItem(segment)
        default: return false
        }
    }

    private mutating func enterMember(_ name: String) -> Bool {
        skipBlanks()
        while peek == UInt8(ascii: "\"") {
            let start = at
            guard skipString() else { return false }
            let key = start..<at
            skipBlanks()
            guard take() == UInt8(ascii: ":") else { return false }
            if isString(key, name) { return true }
            skipBlanks()
            guard skipValue() else { return false }
            skipBlanks()
            guard take() == UInt8(ascii: ",") else { return false }
            skipBlanks()
        }
        return false
    }

    private mutating func enterItem(_ text: String) -> Bool {
        guard let index = Int(text) else { return false }
        skipBlanks()
        guard peek != UInt8(ascii: "]") else { return false }
        for _ in 0..<index {
            skipBlanks()
            guard skipValue() else { return false }
            skipBlanks()
            guard take() == UInt8(ascii: ",") else { return false }
        }
        return true
    }

    /// Whether the string literal in `range`, quotes included, stands for `text`.
    private func isString(_ range: Range<Int>, _ text: String) -> Bool {
        let content = UnsafeRawBufferPointer(
            rebasing: bytes[(range.lowerBound + 1)..<(range.upperBound - 1)])
        guard content.contains(UInt8(ascii: "\\")) else { return content.elementsEqual(text.utf8) }
        guard case .string(let key)? = try? JSONValue.parse(Array(bytes[range])) else {
            return false
        }
        return key == text
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func take() -> UInt8? {
        guard at < bytes.count else { return nil }
        defer { at += 1 }
        return bytes[at]
    }

    private mutating func skipBlanks() {
        while at < bytes.count, Self.isBlank(bytes[at]) { at += 1 }
    }

    private mutating func skipString() -> Bool {
        at += 1
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return true
            case UInt8(ascii: "\\"):
                at += 2
            default:
                at += 1
            }
        }
        return false
    }

    /// Steps over one value; containers are balanced, not checked.
    private mutating func skipValue() -> Bool {
        var depth = 0
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                guard skipString() else { return false }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
                guard depth <= Self.maxDepth else { return false }
                continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { return false }
                depth -= 1
                at += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x0A, 0x0D, 0x09:
                guard depth > 0 else { return false }
                at += 1
                continue
            default:
                skipLiteral()
            }
            if depth == 0 { return true }
        }
        return false
    }

    private mutating func skipLiteral() {
        while let byte = peek, !Self.isBlank(byte) {
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "}"), UInt8(ascii: "]"),
                UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""):
                return
            default:
                at += 1
            }
        }
    }
}
