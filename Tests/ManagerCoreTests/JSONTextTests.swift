import ManagerCore
import TestKit
import Testing

@Suite struct JSONTextTests {
    @Test(arguments: [
        ("{}", JSONType.object), ("[]", .array), ("\"\"", .string), ("0", .number),
        ("-0", .number), ("-0.0e+10", .number), ("1E9", .number), ("123e-456", .number),
        ("1.000000000000000000000000000000000001", .number), ("true", .bool), ("false", .bool),
        ("null", .null), (" \t\r\n[ ] \n", .array), ("[1,2 , 3]", .array),
        (#"{"a":{"b":[null,true,{"c":""}]}}"#, .object), (#"{"a":1,"a":2}"#, .object),
        (#"{"":0}"#, .object), (#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#, .string),
        ("\"äöü€😀\u{7f}\u{2028}\"", .string), ("\"\u{10FFFF}\"", .string), ("[[[[]]]]", .array),
        (#"["\u0000"]"#, .array), (#"{"x":"0123456789abcdef\\"}"#, .object),
    ])
    func jsonIsAccepted(text: String, type: JSONType) {
        #expect(JSONText.type(of: Array(text.utf8)) == type)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]", "[1,,2]", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "[1]x",
        "{}{}", "[] []", "01", "-", "-01", "+1", "1.", ".5", "1.e5", "1e", "1e+", "0x1", "1_000",
        "NaN", "Infinity", "-Infinity", "nul", "nulll", "True", "tru", "\"", "\"\\", "\"\\\"",
        "\"a\nb\"", "\"\t\"", "\"\u{0}\"", "\"\\x41\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\'\"",
        "\"\\uD800\"", "\"\\uDC00\"", "\"\\uD800\\u0041\"", "\"\\uD800x\"", "\u{FEFF}{}",
        "[\u{c}]",
        "[1]//", "/**/[]", "\u{a0}[]", "\"0123456789abc\ndef\"",
    ])
    func otherTextsAreRefused(text: String) {
        #expect(JSONText.type(of: Array(text.utf8)) == nil)
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
            [0xE2, 0x82], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80],
            [0xFF], [0xFE], [0xC3, 0x28], [0xE2, 0x28, 0xA1], [0xF0, 0x9F, 0x98, 0x28],
        ] as [[UInt8]])
    func malformedUTF8IsRefused(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(JSONText.type(of: [quote] + bytes + [quote]) == nil)
        #expect(JSONText.type(of: [quote] + bytes) == nil)
        #expect(JSONText.type(of: bytes) == nil)
    }

    @Test func nestingIsBounded() {
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: UInt8(ascii: "["), count: depth)
                + Array(repeating: UInt8(ascii: "]"), count: depth)
        }
        #expect(JSONText.type(of: nested(JSONText.deepest)) == .array)
        #expect(JSONText.type(of: nested(JSONText.deepest + 1)) == nil)
        #expect(JSONText.type(of: nested(100_000)) == nil)
        let opened = String(repeating: #"{"a":"#, count: 100_000)
        #expect(JSONText.type(of: Array(opened.utf8)) == nil)
    }

    @Test(arguments: [
        (#"{"id":1}"#, "id", "1"), (#"{"id": "x" }"#, "id", #""x""#),
        (#"{"a":{"b":[10,{"id":null}]}}"#, "a.b.1.id", "null"),
        (#"{"a":{"b":1}}"#, "$.a", #"{"b":1}"#),
        (#"{"\u0069d":7,"x":8}"#, "id", "7"), (#"{"id":1,"id":2}"#, "id", "2"),
        (#"{"a":{"id":1},"a":{"id":2}}"#, "a.id", "2"), (#"{"ids":1,"i":2,"id":[3]}"#, "id", "[3]"),
        (#"{"x":{"id":1},"id":2}"#, "id", "2"), (#"{"a":[{"b":1}]}"#, "a[0].b", "1"),
        (#"{"0":"zero"}"#, "0", #""zero""#),
        (#"{"ä":true}"#, "ä", "true"), (#"[["a","b"],["c"]]"#, "1.0", #""c""#),
    ])
    func theValueAtAPathIsFound(text: String, path: String, value: String) throws {
        let bytes = Array(text.utf8)
        let path = try JSONRoute(path)
        guard case .found(let location) = JSONText.locate(path, in: bytes) else {
            Issue.record("not found")
            return
        }
        #expect(String(decoding: bytes[location.range], as: UTF8.self) == value)
    }

    @Test(arguments: [
        (#"{"a":1}"#, "a.b"), (#"{"a":[]}"#, "a.b"), (#"[1]"#, "1"), ("[1]", "id"), ("3", "id"),
        (#"{"a":{"id":1},"a":3}"#, "a.id"), (#"{"a":[1]}"#, "a.01"),
    ])
    func aPathThroughAScalarIsUnreachable(text: String, path: String) throws {
        let path = try JSONRoute(path)
        #expect(JSONText.locate(path, in: Array(text.utf8)) == .unreachable)
    }

    @Test func whatIsMalformedBehindTheValueIsNoticed() throws {
        let path = try JSONRoute("id")
        #expect(JSONText.locate(path, in: Array(#"{"id":1,}"#.utf8)) == .notJSON)
        #expect(JSONText.locate(path, in: Array(#"{"id":1} x"#.utf8)) == .notJSON)
    }

    @Test func escapesAreRead() {
        let text = #""a\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00\u0000z""#
        let bytes = Array(text.utf8)
        let plain = JSONText.unescaped(bytes, 0..<bytes.count)
        #expect(String(decoding: plain, as: UTF8.self) == "a\"\\/\u{8}\u{c}\n\r\té😀\u{0}z")
    }

    /// Any bytes at all, and JSON with one byte changed: an answer, never a trap.
    @Test(arguments: UInt64(1)...20) func hostileBytesAreAnswered(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let path = try JSONRoute("a.b.0")
        let text = #"{"a":{"b":["\u00e9\uD83D\uDE00ä",-1.5e+3,true,null]},"c":"0123456789"}"#
        let valid = Array(text.utf8)
        for _ in 0..<2000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator) / 4)
            let isJSON = JSONText.type(of: bytes) != nil
            #expect(isJSON == (JSONText.locate(path, in: bytes) != .notJSON), "seed \(seed)")
            if isJSON {
                #expect(String(validating: bytes, as: UTF8.self) != nil, "seed \(seed)")
            }
        }
    }
}
