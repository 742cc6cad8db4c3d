/// The value of `Sec-WebSocket-Key` and the answer it demands (RFC 6455, 4.1).
struct HandshakeKey: Sendable, Hashable {
    /// 16 random bytes in base64.
    let value: String

    init(using generator: inout some RandomNumberGenerator) {
        let bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        self.value = Self.base64(bytes)
    }

    init(value: String) {
        self.value = value
    }

    /// What `Sec-WebSocket-Accept` must be.
    var accept: String {
        let salted = self.value + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        return Self.base64(SHA1.digest(Array(salted.utf8)))
    }

    /// RFC 4648, section 4, with padding.
    static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for digit in 0..<4 {
                let isPadding = digit > group.count
                output.append(
                    isPadding ? UInt8(ascii: "=") : alphabet[bits >> (18 - 6 * digit) & 0x3F])
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
