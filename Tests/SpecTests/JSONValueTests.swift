import Testing

@testable import Spec

struct JSONValueTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-0", "12", "-1.5e+10", "1E5",
        "123456789012345678901234567890",
        #""""#, #""a\"b\\c""#, "[]", "{}", "[[],{},[1,null]]", #"{"b":1,"a":{"c":"é😀"}}"#,
    ])
    func writesWhatItRead(_ text: String) throws {
        #expect(String(decoding: try parse(text).serialized(), as: UTF8.self) == text)
    }

    @Test func escapesAreRead() throws {
        #expect(
            try parse(#" "\u0041\n\t\r\b\f\/\\\"\ud83d\ude00\u0000" "#)
                == .string("A\n\t\r\u{08}\u{0C}/\\\"😀\0"))
        let control = JSONValue.string("\u{01}\u{1F}\u{7F}\n")
        #expect(
            String(decoding: control.serialized(), as: UTF8.self) == #""\u0001\u001f\u007f\n""#)
        #expect(try JSONValue.parse(control.serialized()) == control)
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "01", "1.", ".5", "-", "+1", "1e", "0x1", "NaN", "'a'", "\"", "\"\\",
        #""\x""#, #""\u12""#, #""\u+123""#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#,
        "\"\n\"",
        "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1",
        "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{1:2}", "[}", "{]", "1 2", "[]]", "{}{}", "//",
        #"{"a":1,"a":2}"#, #"{"a":{"b":1,"b":1}}"#, "truex", "nullnull",
    ])
    func refuses(_ text: String) {
        #expect(throws: JSONValue.ParseError.self) { try parse(text) }
    }

    @Test func bytesThatAreNoUTF8AreRefused() {
        for bytes: [UInt8] in [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
        ] {
            #expect(throws: JSONValue.ParseError.self) { try JSONValue.parse(bytes) }
        }
    }

    @Test func errorsHaveLineAndColumn() throws {
        let error = try #require(throws: JSONValue.ParseError.self) {
            try parse("{\n  \"é😀\": 1,\n  \"ü\": x\n}")
        }
        #expect(error.line == 3 && error.column == 8)
    }

    @Test func limitsHold() throws {
        let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        #expect(throws: Never.self) { try parse(deep) }
        #expect(throws: JSONValue.ParseError.self) { try parse("[" + deep + "]") }
        #expect(throws: JSONValue.ParseError.self) {
            try parse(String(repeating: "[", count: 1_000_000))
        }
        var limits = JSONValue.Limits()
        limits.nodes = 3
        #expect(throws: Never.self) { try JSONValue.parse(Array("[1,2]".utf8), limits: limits) }
        #expect(throws: JSONValue.ParseError.self) {
            try JSONValue.parse(Array("[1,2,3]".utf8), limits: limits)
        }
    }

    @Test func lookUpsFollowKeysAndPaths() throws {
        let value = try parse(#"{"a":[{"b":"x"}],"a.b":1}"#)
        #expect(value["a.b"] == .number("1"))
        #expect(value[path: try JSONPath("$.a[0].b")] == .string("x"))
        #expect(value[path: try JSONPath("a.0.b.c")] == nil)
        #expect(value["x"] == nil)
        let sorted = try parse(#"{"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]}"#).sorted()
        #expect(
            String(decoding: sorted.serialized(), as: UTF8.self)
                == #"{"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}}"#)
    }

    @Test(arguments: [
        ("1", "1.0", true), ("100", "1e2", true), ("-0", "0.00", true), ("1", "-1", false),
        ("0.1", "1e-1", true), ("12345678901234567890", "12345678901234567891", false),
        ("1e999999999999999999999", "1", false), ("10e-1", "1", true),
    ])
    func numbersCompareByValue(_ left: String, _ right: String, _ isEqual: Bool) {
        #expect(JSONNumber.areEqual(left, right) == isEqual)
    }

    private func parse(_ text: String) throws -> JSONValue {
        try JSONValue.parse(Array(text.utf8))
    }
}

struct SpecJSONTests {
    @Test func storedFormIsCanonical() throws {
        var spec = ConnectionSpec(url: "wss://a.example/")
        spec.headers = ["b": .literal("1"), "A": .secret(.file("x"))]
        let json = SpecJSON.encode(spec)
        #expect(try JSONValue.parse(json) == JSONValue.parse(json).sorted())
        #expect(try SpecJSON.decode(json) == spec)
        #expect(try SpecJSON.decode(JSONValue.parse(json)) == spec)
    }

    @Test func valuesOutsideTheirRangeAreRefused() throws {
        var spec = ConnectionSpec(url: "wss://a.example/")
        spec.buffer.messages = 0
        let error = try #require(throws: SpecJSONError.self) {
            try SpecJSON.decode(SpecJSON.encode(spec))
        }
        #expect(error.path == "buffer.messages")
        #expect(error.message == "0 is outside 1-1,000,000")
    }

    @Test(arguments: ["", "{", "[]", "{}", "{\"url\":1}", "{\"url\":\"ws://a/\",\"x\":1}"])
    func refuses(_ json: String) {
        #expect(throws: SpecJSONError.self) { try SpecJSON.decode(Array(json.utf8)) }
    }
}
