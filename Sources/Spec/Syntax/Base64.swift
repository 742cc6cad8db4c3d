/// Standard base64 with padding (RFC 4648, section 4), and nothing else.
package enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    package static func decode(_ text: String) throws(SyntaxProblem) -> [UInt8] {
        try text.withBytes { bytes throws(SyntaxProblem) in try decode(bytes) }
    }

    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var buffer = 0
        var bits = 0
        for byte in bytes {
            buffer = (buffer << 8 | Int(byte)) & 0xFFFF
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[buffer >> bits & 0x3F])
            }
        }
        if bits > 0 { text.append(alphabet[buffer << (6 - bits) & 0x3F]) }
        while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decode(
        _ text: UnsafeBufferPointer<UInt8>
    ) throws(SyntaxProblem) -> [UInt8] {
        guard text.count % 4 == 0 else {
            throw "base64 has a length that is a multiple of 4; is the padding (=) missing?"
        }
        var padding = 0
        while padding < 2, padding < text.count, text[text.count - 1 - padding] == 0x3D {
            padding += 1
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var buffer = 0
        var bits = 0
        for character in text.dropLast(padding) {
            let value = values[Int(character)]
            guard value != 0xFF else {
                throw "base64 has only A-Z, a-z, 0-9, \"+\" and \"/\" (RFC 4648, section 4)"
            }
            buffer = (buffer << 6 | Int(value)) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
            }
        }
        guard buffer & ((1 << bits) - 1) == 0 else { throw "base64 has stray bits at its end" }
        return bytes
    }
}
