/// Numbers of JSON as text, so that none loses a digit.
enum JSONNumber {
    /// The length of the number at the start of `bytes`, 0 where there is none (RFC 8259, section 6).
    static func length(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int {
        var at = bytes.startIndex
        func digits() -> Int {
            let start = at
            while at < bytes.endIndex, bytes[at] >= 0x30, bytes[at] <= 0x39 { at += 1 }
            return at - start
        }
        func accepts(_ characters: UInt8...) -> Bool {
            guard at < bytes.endIndex, characters.contains(bytes[at]) else { return false }
            at += 1
            return true
        }
        _ = accepts(UInt8(ascii: "-"))
        let leadingZero = at < bytes.endIndex && bytes[at] == 0x30
        let whole = digits()
        guard whole == 1 || (whole > 1 && !leadingZero) else { return 0 }
        if accepts(UInt8(ascii: ".")), digits() == 0 { return 0 }
        if accepts(UInt8(ascii: "e"), UInt8(ascii: "E")) {
            _ = accepts(UInt8(ascii: "+"), UInt8(ascii: "-"))
            guard digits() > 0 else { return 0 }
        }
        return at - bytes.startIndex
    }

    /// Whether the whole text is one number of JSON.
    static func isNumber(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { !$0.isEmpty && length($0[...]) == $0.count }
    }

    /// Whether two numbers have the same value: `1`, `1.0` and `10e-1` do.
    static func areEqual(_ left: String, _ right: String) -> Bool {
        left == right || Decimal(left) == Decimal(right)
    }

    /// Sign, digits without zeros at either end, and the power of ten of the last digit.
    private struct Decimal: Equatable {
        var isNegative = false
        var digits: [UInt8] = []
        var exponent = 0

        init(_ text: String) {
            var fraction = 0
            var inFraction = false
            var bytes = text.utf8[...]
            if bytes.first == UInt8(ascii: "-") {
                isNegative = true
                bytes = bytes.dropFirst()
            }
            scan: while let byte = bytes.popFirst() {
                switch byte {
                case UInt8(ascii: "."):
                    inFraction = true
                case UInt8(ascii: "e"), UInt8(ascii: "E"):
                    break scan
                default:
                    if inFraction { fraction += 1 }
                    if byte != 0x30 || !digits.isEmpty { digits.append(byte) }
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let written = Int(text) ?? (text.isEmpty ? 0 : text.first == "-" ? .min : .max)
            exponent = written.subtractingReportingOverflow(fraction).partialValue
            while digits.last == 0x30 {
                digits.removeLast()
                exponent &+= 1
            }
            if digits.isEmpty { self = Decimal() }
        }

        private init() {}
    }
}
