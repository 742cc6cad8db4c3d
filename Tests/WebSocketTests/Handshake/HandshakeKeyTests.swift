import Testing

@testable import WebSocket

struct HandshakeKeyTests {
    @Test func acceptsAsTheStandardSays() {
        // RFC 6455, 1.3.
        let key = HandshakeKey(value: "dGhlIHNhbXBsZSBub25jZQ==")
        #expect(key.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test func isSixteenBytesAndNewEachTime() {
        var generator = SystemRandomNumberGenerator()
        let keys = Set((0..<100).map { _ in HandshakeKey(using: &generator).value })
        #expect(keys.count == 100)
        #expect(keys.allSatisfy { $0.utf8.count == 24 && $0.hasSuffix("==") })
    }
}
