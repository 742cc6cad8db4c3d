import Testing

@testable import WebSocket

struct HandshakeKeyTests {
    @Test(arguments: [
        ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
        ),
        (String(repeating: "a", count: 1000), "291e9a6c66994949b57ba5e650361e98fc36b1ba"),
    ])
    func hashesTheKnownAnswers(_ example: (text: String, digest: String)) {
        let digest = SHA1.digest(Array(example.text.utf8))
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        #expect(digest == example.digest)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func encodesTheKnownAnswers(_ example: (text: String, base64: String)) {
        #expect(HandshakeKey.base64(Array(example.text.utf8)) == example.base64)
    }

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
