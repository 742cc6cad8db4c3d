import Testing

@testable import Feed

struct JSONScanTests {
    static func value(_ name: String, _ text: String) -> String? {
        JSONScan.value(of: name, in: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        (#"{"id":1}"#, "1"), (#" { "a" : [1,{"id":2}] , "id" : "x\"y" } "#, #""x\"y""#),
        (#"{"id":{"a":[1,2]},"b":3}"#, #"{"a":[1,2]}"#),
        (#"{"id":12345678901234567890 }"#, "12345678901234567890"),
        (#"{"a":"}","id":null}"#, "null"), (#"{"id":[]}"#, "[]"),
    ])
    func findsAMember(_ example: (text: String, value: String)) {
        #expect(Self.value("id", example.text) == example.value)
    }

    @Test(arguments: [
        "", "{", "{}", "[1]", #"{"a":1}"#, #"{"id"}"#, #"{"id":"#, #"{"id":"x"#, #"{"a":{"id":1}}"#,
        #"{"id":[1"#, "id", #"{"a":1 "id":2}"#,
    ])
    func findsNothing(_ text: String) {
        #expect(Self.value("id", text) == nil)
    }

    @Test func escapesWhatMustBeEscaped() {
        #expect(JSONScan.quoted("a\"b\\c\n\u{1}ü") == #""a\"b\\c\u000a\u0001ü""#)
    }

    @Test func ticksAreNumberedAndPadded() {
        var ticks = TickSource(symbol: "B\"TC", size: 300)
        let tick = ticks.next()
        #expect(tick.count == 300)
        #expect(JSONScan.value(of: "sequence", in: ticks.next()).map(Array.init) == Array("2".utf8))
        #expect(JSONScan.value(of: "symbol", in: tick).map(Array.init) == Array(#""B\"TC""#.utf8))
    }
}
