/// A scalar as it was written, typed by the core schema of YAML 1.2.
struct Scalar: Sendable, Hashable {
    var text: String
    /// A string whatever its text: quoted, a block, or tagged `!!str`.
    var isString: Bool

    enum Kind: Sendable {
        case string, null, bool, int, float
    }

    static func string(_ text: String) -> Scalar { Scalar(text: text, isString: true) }
    static func plain(_ text: String) -> Scalar { Scalar(text: text, isString: false) }

    /// The type the core schema gives it (YAML 1.2.2, section 10.3.2).
    var kind: Kind {
        guard !isString else { return .string }
        var text = text
        return text.withUTF8 { CoreSchema.kind(of: $0) }
    }

    var kindName: String {
        switch kind {
        case .string: "a string"
        case .null: text.isEmpty ? "nothing" : "null"
        case .bool: "a bool"
        case .int, .float: "a number"
        }
    }
}

/// The tag resolution of plain scalars in the core schema.
enum CoreSchema {
    static func kind(of bytes: UnsafeBufferPointer<UInt8>) -> Scalar.Kind {
        guard let first = bytes.first else { return .null }
        switch first {
        case UInt8(ascii: "~"), UInt8(ascii: "n"), UInt8(ascii: "N"):
            return isOne(of: ["~", "null", "Null", "NULL"], bytes) ? .null : .string
        case UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"):
            let words: [StaticString] = ["true", "True", "TRUE", "false", "False", "FALSE"]
            return isOne(of: words, bytes) ? .bool : .string
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "."):
            return numberKind(bytes)
        default:
            return .string
        }
    }

    private static func isOne(
        of words: [StaticString], _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        words.contains { word in
            word.utf8CodeUnitCount == bytes.count
                && UnsafeBufferPointer(start: word.utf8Start, count: bytes.count)
                    .elementsEqual(bytes)
        }
    }

    private static func numberKind(_ bytes: UnsafeBufferPointer<UInt8>) -> Scalar.Kind {
        let special: [StaticString] = [
            ".inf", ".Inf", ".INF", "-.inf", "-.Inf", "-.INF", "+.inf", "+.Inf", "+.INF", ".nan",
            ".NaN", ".NAN",
        ]
        if isOne(of: special, bytes) { return .float }
        if bytes.count > 2, bytes[0] == 0x30 {
            let digits = bytes[2...]
            if bytes[1] == UInt8(ascii: "x"), digits.allSatisfy(isHexDigit) { return .int }
            if bytes[1] == UInt8(ascii: "o"), digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x37 }) {
                return .int
            }
        }
        return decimalKind(bytes)
    }

    /// `[-+]? ( . digits | digits ( . digits* )? ) ( [eE] [-+]? digits )?`
    private static func decimalKind(_ bytes: UnsafeBufferPointer<UInt8>) -> Scalar.Kind {
        var at = 0
        if bytes[0] == UInt8(ascii: "-") || bytes[0] == UInt8(ascii: "+") { at = 1 }
        let whole = skipDigits(bytes, &at)
        var isInt = true
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            isInt = false
            at += 1
            let fraction = skipDigits(bytes, &at)
            guard whole > 0 || fraction > 0 else { return .string }
        }
        guard whole > 0 || !isInt else { return .string }
        if at < bytes.count, bytes[at] == UInt8(ascii: "e") || bytes[at] == UInt8(ascii: "E") {
            isInt = false
            at += 1
            if at < bytes.count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") {
                at += 1
            }
            guard skipDigits(bytes, &at) > 0 else { return .string }
        }
        return at == bytes.count ? (isInt ? .int : .float) : .string
    }

    private static func skipDigits(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Int {
        let start = at
        while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 { at += 1 }
        return at - start
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x66)
    }
}
