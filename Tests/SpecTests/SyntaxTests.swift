import Testing

@testable import Spec

struct DurationTextTests {
    static let texts: [(text: String, duration: Duration, canonical: String)] = [
        ("0s", .zero, "0s"), ("0h0m", .zero, "0s"), ("30s", .seconds(30), "30s"),
        ("1h30m", .seconds(5400), "1h30m"), ("90m", .seconds(5400), "1h30m"),
        ("1.5s", .milliseconds(1500), "1.5s"), ("1500ms", .milliseconds(1500), "1.5s"),
        ("1s500ms", .milliseconds(1500), "1.5s"), ("500ms", .milliseconds(500), "500ms"),
        ("0.5s", .milliseconds(500), "500ms"), ("1.5h", .seconds(5400), "1h30m"),
        ("0.000001ms", .nanoseconds(1), "0.000001ms"), ("1h1s", .seconds(3601), "1h1s"),
        ("8760h", .seconds(8760 * 3600), "8760h"), ("1m0.25s", .milliseconds(60250), "1m0.25s"),
        ("1.000000001s", .nanoseconds(1_000_000_001), "1.000000001s"),
    ]

    @Test(arguments: texts.indices)
    func readsAndWrites(_ index: Int) throws {
        let row = Self.texts[index]
        #expect(try DurationText.parse(row.text) == row.duration)
        #expect(DurationText.format(row.duration) == row.canonical)
        #expect(try DurationText.parse(row.canonical) == row.duration)
    }

    @Test(arguments: [
        "", "1", "s", "-1s", "1x", "1 s", " 1s", "1s ", "1s1h", "1s1s", "1.s", ".5s", "1..5s",
        "1.5",
        "1d", "1us", "8760h1ms", "9999999999999999999h", "0.0000000001s", "1e3s", "1_0s", "+1s",
        "１s",
    ])
    func refuses(_ text: String) {
        #expect(throws: SyntaxProblem.self) { try DurationText.parse(text) }
    }

    @Test func everyMillisecondReadsBack() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            let limit = Int64.random(in: 1...DurationText.maxNanoseconds, using: &random)
            let duration = Duration.nanoseconds(Int64.random(in: 0...limit, using: &random))
            #expect(try DurationText.parse(DurationText.format(duration)) == duration)
        }
    }
}

struct SizeTextTests {
    static let texts: [(text: String, bytes: Int, canonical: String)] = [
        ("0B", 0, "0B"), ("1B", 1, "1B"), ("64KiB", 65536, "64KiB"), ("64Ki", 65536, "64KiB"),
        ("1024KiB", 1 << 20, "1MiB"), ("3Mi", 3 << 20, "3MiB"), ("1Gi", 1 << 30, "1GiB"),
        ("1000B", 1000, "1000B"), ("8GiB", 8 << 30, "8GiB"),
    ]

    @Test(arguments: texts.indices)
    func readsAndWrites(_ index: Int) throws {
        let row = Self.texts[index]
        #expect(try SizeText.parse(row.text) == row.bytes)
        #expect(SizeText.format(row.bytes) == row.canonical)
        #expect(try SizeText.parse(row.canonical) == row.bytes)
    }

    @Test(arguments: [
        "", "1", "B", "-1B", "1KB", "1kB", "1kib", "1.5MiB", "1 MiB", "1TiB", "1K", "1b",
        "99999999999999999999B", "8589934592GiB", "+1B", "0x1B",
    ])
    func refuses(_ text: String) {
        #expect(throws: SyntaxProblem.self) { try SizeText.parse(text) }
    }
}

struct NameRuleTests {
    @Test(arguments: ["a", "0", "a-b.c", "a--b", "a..b", String(repeating: "a", count: 253)])
    func acceptsNames(_ name: String) {
        #expect(ObjectName.problem(name) == nil)
    }

    @Test(arguments: [
        "", "A", "a_b", "a/b", "-a", "a-", ".a", "a.", "a b", "é", "a\n",
        String(repeating: "a", count: 254),
    ])
    func refusesNames(_ name: String) {
        #expect(ObjectName.problem(name) != nil)
    }

    @Test(arguments: ["a", "trades.btc", "A/b:c#d", "é", String(repeating: "é", count: 256)])
    func acceptsTopics(_ topic: String) {
        #expect(TopicName.problem(topic) == nil)
    }

    @Test(arguments: ["", " ", "a b", "a\tb", "a\u{7F}", "a\u{85}b", "\u{2003}"])
    func refusesTopics(_ topic: String) {
        #expect(TopicName.problem(topic) != nil)
    }

    @Test func tagsHaveTheAPIsLimits() {
        func text(_ count: Int) -> String { String(repeating: "é", count: count) }
        #expect(TagLimits.problem(key: text(128), value: text(1024)) == nil)
        #expect(TagLimits.problem(key: text(129), value: "") != nil)
        #expect(TagLimits.problem(key: "a", value: text(1025)) != nil)
        #expect(TagLimits.problem(key: "", value: "") != nil)
        let fifty = Dictionary(uniqueKeysWithValues: (0..<50).map { ("k\($0)", "") })
        #expect(TagLimits.problem(fifty) == nil)
        #expect(TagLimits.problem(fifty.merging(["x": ""]) { $1 }) != nil)
    }

    @Test func base64IsTheStandardOneWithPadding() throws {
        #expect(try Base64.decode("") == [])
        #expect(try Base64.decode("AAEC/w==") == [0, 1, 2, 255])
        for text in [
            "A", "AA", "AA=", "AAA", "A===", "AA=A", "AB==", "A-_=", "AA==\n", "====", " ",
        ] {
            #expect(throws: SyntaxProblem.self, "\(text)") { try Base64.decode(text) }
        }
        var random = SeededGenerator(seed: 3)
        for length in 0..<64 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(try Base64.decode(Base64.encode(bytes)) == bytes)
        }
    }

    @Test func suggestionsAreNear() {
        let words = ["topic", "url", "keepalive"]
        #expect(Suggestion.nearest("topci", among: words) == "topic")
        #expect(Suggestion.nearest("URL", among: words) == "url")
        #expect(Suggestion.nearest("xyz", among: words) == nil)
        #expect(Suggestion.nearest(String(repeating: "topic", count: 100), among: words) == nil)
    }
}
