import Testing

@testable import Gateway

struct JSONParserTests {
    @Test(arguments: [
        "{}", "[]", "null", "true", " [1, -0.5e+3, \"\\u00e4\\ud83d\\ude00\\n\"] ",
        "{\"a\":{\"b\":[]},\"c\":\"ä\"}", "\"\"", "0", "\t\r\n1",
    ])
    func takesWhatTheStandardTakes(_ text: String) throws {
        let node = try JSONParser.parse(Array(text.utf8))
        #expect(node.range.count <= text.utf8.count)
    }

    @Test(arguments: [
        ("", "empty"), ("{", "name in quotes"), ("{\"a\":1,\"a\":2}", "\"a\" appears twice"),
        ("[1,]", "no value"), ("{\"a\" 1}", "colon"), ("01", "must not begin with 0"),
        ("1.", "point"), ("1e", "exponent"), ("-", "digit"), ("tru", "no value"),
        ("\"\\x\"", "escape"), ("\"\\ud800\"", "surrogate"), ("\"\\u12\"", "hexadecimal"),
        ("\"a", "no end"), ("\"a\u{01}\"", "control character"), ("1 2", "more after"),
        ("[1 2]", "comma"), ("\u{FEFF}{}", "no value"), ("NaN", "no value"), ("'a'", "no value"),
    ])
    func refusesWithASentence(_ text: String, _ part: String) {
        let problem = #expect(throws: JSONParser.Problem.self) {
            try JSONParser.parse(Array(text.utf8))
        }
        #expect(problem?.description.contains(part) == true, "\(problem?.description ?? "")")
    }

    @Test func namesLineAndColumn() {
        let problem = #expect(throws: JSONParser.Problem.self) {
            try JSONParser.parse(Array("{\n  \"ä\": x}".utf8))
        }
        #expect(problem?.description.hasPrefix("line 2, column 8: ") == true)
    }

    @Test func refusesWhatIsNotUTF8() {
        let problem = #expect(throws: JSONParser.Problem.self) {
            try JSONParser.parse([0x22, 0xFF, 0x22])
        }
        #expect(problem?.description == "the JSON text is not UTF-8")
    }

    @Test func refusesToGoDeeperThanItsBound() throws {
        let deepest =
            String(repeating: "[", count: JSONParser.maxDepth)
            + String(repeating: "]", count: JSONParser.maxDepth)
        _ = try JSONParser.parse(Array(deepest.utf8))
        #expect(throws: JSONParser.Problem.self) {
            try JSONParser.parse(Array("[\(deepest)]".utf8))
        }
    }

    /// No text makes it trap: every prefix, and every byte put into the middle.
    @Test func survivesEveryTruncationAndByte() {
        let text = Array("{\"a\":[1.5e3,\"\\ud83d\\ude00\",true,null,{\"b\":-0}]}".utf8)
        for count in 0...text.count {
            _ = try? JSONParser.parse(Array(text.prefix(count)))
        }
        for at in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[at] = byte
                _ = try? JSONParser.parse(changed)
            }
        }
    }

    @Test func aValueKnowsItsBytes() throws {
        let text = Array("{\"documents\": [ {\"a\": 1}, {} ]}".utf8)
        let node = try JSONParser.parse(text)
        guard case .array(let documents)? = node.members?.first?.node.value else {
            Issue.record("not an array")
            return
        }
        #expect(
            documents.map { String(decoding: text[$0.range], as: UTF8.self) } == [
                "{\"a\": 1}", "{}",
            ])
    }
}
