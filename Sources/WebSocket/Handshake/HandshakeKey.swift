import Crypto

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The value of `Sec-WebSocket-Key` and the answer it demands (RFC 6455, 4.1).
struct HandshakeKey: Sendable, Hashable {
    /// 16 random bytes in base64.
    let value: String

    init(using generator: inout some RandomNumberGenerator) {
        let bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        self.value = Data(bytes).base64EncodedString()
    }

    init(value: String) {
        self.value = value
    }

    /// What `Sec-WebSocket-Accept` must be.
    var accept: String {
        let salted = self.value + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        return Data(Insecure.SHA1.hash(data: Array(salted.utf8))).base64EncodedString()
    }
}
