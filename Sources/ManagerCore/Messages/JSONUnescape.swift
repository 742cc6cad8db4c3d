/// Reads the escapes of a JSON string (RFC 8259, section 7).
enum JSONUnescape {
    /// The length of the escape that begins at a backslash: 2, 6, or 12 for a pair of surrogates;
    /// `nil` if it is malformed, cut off, or half a pair.
    static func escapeLength(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int? {
        guard index + 1 < bytes.count else { return nil }
        switch bytes[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return 2
        case UInt8(ascii: "u"):
            switch codeUnit(bytes, at: index) {
            case nil, .some(0xDC00...0xDFFF): return nil
            case .some(0xD800...0xDBFF):
                guard let low = codeUnit(bytes, at: index + 6), 0xDC00...0xDFFF ~= low
                else { return nil }
                return 12
            default: return 6
            }
        default: return nil
        }
    }

    /// What the escaped text stands for. The text has been checked by ``JSONText``.
    static func text(_ escaped: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(escaped.count)
        var index = 0
        while index < escaped.count {
            let byte = escaped[index]
            guard byte == UInt8(ascii: "\\"), let length = escapeLength(escaped, at: index) else {
                text.append(byte)
                index += 1
                continue
            }
            append(escaped, at: index, length: length, to: &text)
            index += length
        }
        return text
    }

    private static func append(
        _ bytes: UnsafeBufferPointer<UInt8>, at index: Int, length: Int, to text: inout [UInt8]
    ) {
        guard length > 2 else {
            text.append(character(bytes[index + 1]))
            return
        }
        var scalar = UInt32(codeUnit(bytes, at: index) ?? 0xFFFD)
        if length == 12, let low = codeUnit(bytes, at: index + 6) {
            scalar = 0x1_0000 + (scalar - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        }
        text.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
    }

    private static func character(_ escape: UInt8) -> UInt8 {
        switch escape {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: escape
        }
    }

    /// The four hexadecimal digits of `\uXXXX`; `nil` if that is not what stands here.
    private static func codeUnit(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> UInt16? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"),
            bytes[index + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for byte in bytes[(index + 2)..<(index + 6)] {
            guard let digit = UUIDBytes.hexDigit(byte) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }
}
