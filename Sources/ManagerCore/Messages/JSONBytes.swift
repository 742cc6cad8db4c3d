/// Writes the parts of a JSON text into a byte array, without a tree and without Foundation.
package enum JSONBytes {
    /// Appends a string with its quotes. Only what must be escaped is: `"`, `\` and controls.
    static func appendString(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { appendEscaped($0, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends a string with its quotes from bytes that are known to be valid UTF-8.
    static func appendString(utf8: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        utf8.withUnsafeBufferPointer { appendEscaped($0, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends bytes that are known while compiling, as they are.
    static func appendLiteral(_ text: StaticString, to bytes: inout [UInt8]) {
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends a text as it is, for text that needs no escape.
    static func appendPlain(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    /// Appends `"key":` or, if the last byte is not an opening brace, `,"key":`.
    static func appendKey(_ key: StaticString, to bytes: inout [UInt8]) {
        if let last = bytes.last, last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        appendLiteral(key, to: &bytes)
        appendLiteral("\":", to: &bytes)
    }

    static func appendMember(_ key: StaticString, _ value: String, to bytes: inout [UInt8]) {
        appendKey(key, to: &bytes)
        appendString(value, to: &bytes)
    }

    /// Appends the digits of a number.
    package static func appendDecimal(_ number: UInt64, to bytes: inout [UInt8]) {
        // UInt64.max has twenty digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            var rest = number
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    /// Appends a number as a string of digits, for 64-bit numbers that not every parser keeps.
    static func appendDecimalString(_ number: UInt64, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        appendDecimal(number, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends standard base64 with padding (RFC 4648, section 4), without quotes.
    static func appendBase64(_ data: [UInt8], to bytes: inout [UInt8]) {
        let chunk = 768
        data.withUnsafeBufferPointer { data in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: chunk / 3 * 4) { text in
                for start in stride(from: 0, to: data.count, by: chunk) {
                    let part = data[start..<min(start + chunk, data.count)]
                    let count = encodeBase64(UnsafeBufferPointer(rebasing: part), into: text)
                    bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[..<count]))
                }
            }
        }
    }

    private static let base64Digits = StaticString(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

    /// - Returns: How many characters were written; `text` has room for four of every three bytes.
    private static func encodeBase64(
        _ data: UnsafeBufferPointer<UInt8>, into text: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        let digits = base64Digits.utf8Start
        var count = 0
        for index in stride(from: 0, to: data.count, by: 3) {
            let left = data.count - index
            let word =
                Int(data[index]) << 16 | (left > 1 ? Int(data[index + 1]) << 8 : 0)
                | (left > 2 ? Int(data[index + 2]) : 0)
            text[count] = digits[word >> 18]
            text[count + 1] = digits[word >> 12 & 63]
            text[count + 2] = left > 1 ? digits[word >> 6 & 63] : UInt8(ascii: "=")
            text[count + 3] = left > 2 ? digits[word & 63] : UInt8(ascii: "=")
            count += 4
        }
        return count
    }

    /// Copies runs of plain bytes whole, and stops only at those that must be escaped.
    private static func appendEscaped(
        _ utf8: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]
    ) {
        var start = 0
        while start < utf8.count {
            let end = JSONWords.endOfPlainRun(utf8, from: start, allowingNonASCII: true)
            if end > start {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<end]))
            }
            guard end < utf8.count else { return }
            appendEscape(of: utf8[end], to: &bytes)
            start = end + 1
        }
    }

    private static func appendEscape(of byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")])
            bytes.append(UInt8(ascii: "0") + byte >> 4)
            let low = byte & 15
            bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        }
    }
}

/// Looks at eight bytes of a JSON string at once.
enum JSONWords {
    /// The first index from `start` on whose byte ends a plain run of a JSON string: a quote, a
    /// backslash, a control or, unless allowed, a byte outside ASCII. The count if there is none.
    static func endOfPlainRun(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, allowingNonASCII: Bool
    ) -> Int {
        var index = start
        let raw = UnsafeRawBufferPointer(bytes)
        let nonASCII: UInt64 = allowingNonASCII ? 0 : 0x8080_8080_8080_8080
        while index + 8 <= bytes.count {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if hasSpecialByte(word) || word & nonASCII != 0 { break }
            index += 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            if byte >= 0x80 && !allowingNonASCII { break }
            index += 1
        }
        return index
    }

    /// True if a byte of the word is below 0x20, a quote or a backslash. The classic bit trick:
    /// `(x - 0x01…) & ~x & 0x80…` is not zero exactly if a byte of `x` is zero.
    private static func hasSpecialByte(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let control = (word &- ones &* 0x20) & ~word
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let quoteHit = (quote &- ones) & ~quote
        let backslashHit = (backslash &- ones) & ~backslash
        return (control | quoteHit | backslashHit) & highs != 0
    }
}
