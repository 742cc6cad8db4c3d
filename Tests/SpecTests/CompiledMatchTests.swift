import Testing

@testable import Spec

struct CompiledMatchTests {
    static let cases: [(match: Match, text: String, isMatch: Bool)] = [
        (.text("ok"), "ok", true), (.text("ok"), "ok ", false), (.text(""), "", true),
        (.prefix("ab"), "abc", true), (.prefix("ab"), "a", false),
        (.regex("^a.c$"), "abc", true), (.regex("^a.c$"), "ab", false),
        (.base64Prefix([0x61]), "abc", true), (.base64Prefix([0x62]), "abc", false),
        (.pathExists(path: "a.b"), #"{"a":{"b":null}}"#, true),
        (.pathExists(path: "a.c"), #"{"a":{"b":null}}"#, false),
        (.pathExists(path: "$.a[1].b"), #"{"a":[0,{"b":1}]}"#, true),
        (.pathExists(path: "a.1.b"), #"{"a":[0,{"b":1}]}"#, true),
        (.pathExists(path: "a"), "no json", false), (.pathExists(path: "a"), "", false),
        (.pathEquals(path: "id", value: .string("x")), #"{"id":"x"}"#, true),
        (.pathEquals(path: "id", value: .string("é\n")), #"{"id":"\u00e9\n"}"#, true),
        (.pathEquals(path: "id", value: .string("1")), #"{"id":1}"#, false),
        (.pathEquals(path: "id", value: .number("1")), #"{"id": 1.0 }"#, true),
        (.pathEquals(path: "id", value: .number("100")), #"{"id":1e2}"#, true),
        (.pathEquals(path: "id", value: .number("0")), #"{"id":-0.0}"#, true),
        (
            .pathEquals(path: "id", value: .number("12345678901234567890")),
            #"{"id":12345678901234567891}"#, false
        ),
        (.pathEquals(path: "id", value: .bool(true)), #"{"id":true}"#, true),
        (.pathEquals(path: "id", value: .bool(true)), #"{"id":false}"#, false),
        (.pathEquals(path: "id", value: .null), #"{"id":null}"#, true),
        (.pathEquals(path: "id", value: .null), #"{"id":{}}"#, false),
    ]

    @Test(arguments: cases.indices)
    func testsAMessage(_ index: Int) throws {
        let row = Self.cases[index]
        let match = try row.match.compiled()
        #expect(match.matches(isText: true, bytes: Array(row.text.utf8)) == row.isMatch)
    }

    @Test func binaryMessagesAreNoText() throws {
        let bytes = Array("abc".utf8)
        for match: Match in [.text("abc"), .prefix("a"), .regex("a")] {
            #expect(!(try match.compiled().matches(isText: false, bytes: bytes)))
        }
        #expect(try Match.base64Prefix(bytes).compiled().matches(isText: false, bytes: bytes))
    }

    @Test func badPatternsAndPathsAreErrors() {
        for match: Match in [.regex("("), .pathExists(path: "a..b"), .pathExists(path: "a[")] {
            #expect(throws: SyntaxProblem.self) { try match.compiled() }
        }
    }
}

struct JSONScannerTests {
    static let document = #"""
         { "a" : [ 1 , "x]}\"" , {"b\u0063": -1.5e3 , "d":{}} , [] ] , "e": "" , "f" :true,"a":2 }
        """#

    static let paths: [(path: String, value: String?)] = [
        ("a[0]", "1"), ("a.1", #""x]}\"""#), ("a[2].bc", "-1.5e3"), ("a.2.d", "{}"), ("a[3]", "[]"),
        ("a[4]", nil), ("a[99999999999999999999]", nil), ("a.x", nil), ("e", #""""#), ("f", "true"),
        ("f.x", nil), ("g", nil), ("e.0", nil),
        ("a", #"[ 1 , "x]}\"" , {"b\u0063": -1.5e3 , "d":{}} , [] ]"#),
    ]

    @Test(arguments: paths.indices)
    func findsTheValueAtAPath(_ index: Int) throws {
        let row = Self.paths[index]
        let bytes = Array(Self.document.utf8)
        let path = try JSONPath(row.path)
        let found = bytes.withUnsafeBytes { JSONScanner.find(path, in: $0) }
        #expect(found.map { String(decoding: bytes[$0], as: UTF8.self) } == row.value)
    }

    @Test func brokenDocumentsNeverTrap() throws {
        var random = SeededGenerator(seed: 5)
        let path = try JSONPath("a[2].bc")
        let original = Array(Self.document.utf8)
        let noise = Array(#"{}[]",:\x0"#.utf8)
        for _ in 0..<5000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[at] = noise.randomElement(using: &random) ?? 0
                case 1: bytes.removeSubrange(at...)
                default: bytes.remove(at: at)
                }
                if bytes.isEmpty { bytes = [0x7B] }
            }
            let found = bytes.withUnsafeBytes { JSONScanner.find(path, in: $0) }
            if let found { #expect(found.upperBound <= bytes.count) }
        }
    }
}
