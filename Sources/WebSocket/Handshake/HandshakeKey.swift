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
        // Two draws: each is a call of the system's.
        let drawn = [generator.next() as UInt64, generator.next()]
        self.value = drawn.withUnsafeBytes { Data($0) }.base64EncodedString()
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
