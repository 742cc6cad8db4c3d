import Testing

@testable import Access

struct TokenFileTests {
    private static let token = "0123456789abcdef"

    private func parse(_ text: String) throws -> TokenFile.Content {
        try TokenFile.parse(Array(text.utf8))
    }

    private func problem(_ text: String) -> String? {
        do {
            _ = try TokenFile.parse(Array(text.utf8))
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func aLineIsRoleNameAndToken() throws {
        let content = try parse(
            "# who\n\nadmin deploy \(Self.token)\n read\tdash  \(Self.token)-2  \r\n")
        #expect(content.holdsSecrets)
        #expect(content.table.entries.map(\.name) == ["deploy", "dash"])
        #expect(content.table.entries.map(\.role) == [.admin, .read])
        #expect(content.table.entry(of: Self.token)?.name == "deploy")
        #expect(content.table.entry(of: Self.token + "-2")?.name == "dash")
        #expect(content.table.entry(of: Self.token + "-3") == nil)
        #expect(content.table.entry(of: "") == nil)
    }

    @Test func aDigestStandsForItsToken() throws {
        // SHA-256 of "abc" (FIPS 180-2, B.1), in either case.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015AD"
        let content = try parse("read short sha256:\(digest)")
        #expect(!content.holdsSecrets)
        #expect(content.table.entry(of: "abc")?.name == "short")
        #expect(content.table.entry(of: "sha256:\(digest)") == nil)
    }

    @Test func aNameMayHaveAnOldAndANewToken() throws {
        let content = try parse("admin a \(Self.token)\nadmin a \(Self.token)-new\n")
        #expect(content.table.entries.count == 2)
    }

    @Test(arguments: [
        ("", "it holds no token"),
        ("# nobody\n", "it holds no token"),
        ("admin deploy\n", "line 1: a line has three fields, ROLE NAME TOKEN; this one has 2"),
        (
            "\nadmin a 0123456789abcdef extra\n",
            "line 2: a line has three fields, ROLE NAME TOKEN; this one has 4"
        ),
        ("root a 0123456789abcdef\n", "line 1: the first field is the role: read or admin"),
        ("admin a short\n", "line 1: a token has 16 to 1024 characters; this one has 5"),
        ("admin a sha256:12\n", "line 1: after sha256: stand 64 hexadecimal digits"),
        ("admin a 0123456789abcdeä\n", "line 1: a token has visible ASCII characters only"),
        (
            "admin a 0123456789abcdef\nread b 0123456789abcdef\n",
            "line 2: the token stands on line 1 already"
        ),
        (
            "admin anonymous 0123456789abcdef\n",
            "line 1: a name has 1 to 253 visible ASCII characters and is not anonymous"
        ),
    ])
    func whatIsWrongIsToldByLine(text: String, sentence: String) {
        #expect(problem(text) == sentence)
    }

    @Test func noErrorRepeatsAToken() {
        let secret = "very-secret-token-of-somebody"
        for text in [
            "admin \(secret)", "\(secret) a b", "admin a \(secret) \(secret)",
            "admin a \(secret)\nread b \(secret)", "admin a sha256:\(secret)",
        ] {
            #expect(problem(text) != nil)
            #expect(problem(text)?.contains(secret) == false)
        }
    }

    @Test func bytesThatAreNoTextAreRefused() {
        #expect(throws: TokenFile.Invalid(message: "it is not UTF-8 text")) {
            try TokenFile.parse([0xFF, 0xFE, 0x41])
        }
    }
}
