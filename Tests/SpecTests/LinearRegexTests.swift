import Testing

@testable import Spec

struct LinearRegexTests {
    static let cases: [(pattern: String, matching: [String], failing: [String])] = [
        ("", ["", "a"], []), ("abc", ["abc", "xabcx"], ["ab", "acb", ""]),
        ("^abc$", ["abc"], ["abcd", "xabc", "abc\n"]), ("a|b|", ["", "c"], []),
        ("^(a|b)*$", ["", "abba"], ["c", "abc"]), ("^a+?b??$", ["a", "aab"], ["b", "abb"]),
        ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]), ("^a{2}$", ["aa"], ["a", "aaa"]),
        ("^a{2,}$", ["aa", "aaaaa"], ["a"]), ("^(ab){0}c$", ["c"], ["abc"]),
        ("a{,2}", ["a{,2}"], ["aa"]), ("{", ["{"], ["a"]), ("x{a}", ["x{a}"], ["x"]),
        ("[a-c]", ["b"], ["d", "-"]), ("[^a-c]", ["d", "\n"], ["a", ""]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[a-]", ["-", "a"], ["b"]), ("[-a]", ["-"], ["b"]), (#"[\]\-x]"#, ["]", "-"], ["a"]),
        ("[[:digit:]x]", ["5", "x"], ["a"]), ("^[[:^alpha:]]$", ["5"], ["a"]),
        (#"^\d+\s\w\W$"#, ["12 a-"], ["12a-", "x a-"]), (#"^\D\S$"#, ["ab"], ["1b", "a "]),
        (#"\bfoo\b"#, ["a foo b", "foo"], ["food", "afoo"]), (#"^\Bx"#, [], ["x"]),
        (#"\Aa\z"#, ["a"], ["a\n", "ba"]), ("(?m)^b$", ["a\nb\nc", "b"], ["ab"]),
        (".", ["a", "é"], ["", "\n"]), ("(?s)^.$", ["\n"], ["ab"]),
        ("(?i)AbC", ["aBc", "abc"], ["ab"]),
        ("(?i)é", ["É", "é"], ["e"]), ("(?i)[k]", ["K", "\u{212A}"], ["j"]),
        ("a(?i)b", ["aB", "ab"], ["AB"]),
        ("(?i:a)b", ["Ab"], ["AB"]), ("(?P<n>a)(?<m>b)(?:c)", ["abc"], ["ab"]),
        (#"\x41\x{1F600}"#, ["A😀"], ["A"]), (#"\Qa.b*\E+"#, ["a.b*", "a.b***"], ["aXb*", "a.b"]),
        (#"\p{Lu}\pN"#, ["A1", "É٣"], ["a1"]), (#"^\P{L}$"#, ["1"], ["a"]),
        (#"\.\*\+\?\(\)\[\]\{\}\|\^\$\\"#, [#".*+?()[]{}|^$\"#], ["."]),
        (#"\t\n\r\f\v\a"#, ["\t\n\r\u{0C}\u{0B}\u{07}"], [""]),
        (#"^\s*\{"id":\d+"#, [#" {"id":12}"#], [#"{"id":"x"}"#]),
    ]

    @Test(arguments: cases.indices)
    func matchesLikeRE2(_ index: Int) throws {
        let row = Self.cases[index]
        let regex = try #require(try? LinearRegex(row.pattern), "\(row.pattern)")
        for text in row.matching { #expect(regex.matches(text), "\(row.pattern): \(text)") }
        for text in row.failing { #expect(!regex.matches(text), "\(row.pattern): \(text)") }
    }

    @Test(arguments: [
        "(", ")", "(a", "a)", "[", "[a", "[z-a]", "[[:nope:]]", "*", "+a", "a**", "a+*", "a{2}{3}",
        "a{1001}", "a{3,2}", "(a{1000}){3}", #"\"#, #"\1"#, #"(a)\1"#, #"\k<n>"#, "(?=a)", "(?!a)",
        "(?<=a)", "(?<!a)", "(?z)", "(?", "(?P<", "(?P<1>a)", #"\q"#, #"\xZ1"#, #"\x{110000}"#,
        #"\x"#,
        #"\p{Greek}"#, #"\p"#, "(?P=n)", String(repeating: "(", count: 60), "(?>a)",
        String(repeating: "a", count: 4097),
    ])
    func refuses(_ pattern: String) {
        #expect(throws: RegexError.self) { try LinearRegex(pattern) }
    }

    @Test func hostilePatternStaysLinear() throws {
        // Each of these takes a backtracking engine longer than the age of the universe.
        let text = String(repeating: "a", count: 2000)
        #expect(!(try LinearRegex("^(a+)+$").matches(text + "b")))
        #expect(!(try LinearRegex("^(a|a)*b$").matches(text)))
        #expect(try LinearRegex("^(a?){50}a{50}$").matches(String(repeating: "a", count: 50)))
    }

    @Test func bytesThatAreNoTextCountAsReplacement() throws {
        let bytes: [UInt8] = [0x61, 0xFF, 0x62]
        #expect(try bytes.withUnsafeBytes { try LinearRegex("^a\u{FFFD}b$").matches($0) })
    }

    @Test func randomPatternsNeverTrap() {
        var random = SeededGenerator(seed: 11)
        let alphabet = Array(#"ab01()[]{}*+?|^$.\-,:<>=!idwsbPpQEx"#)
        var compiled = 0
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...14, using: &random)
            let pattern = String(
                (0..<length).map { _ in alphabet.randomElement(using: &random) ?? "a" })
            guard let regex = try? LinearRegex(pattern) else { continue }
            compiled += 1
            _ = regex.matches("ab01 ()[]\n{x}")
        }
        #expect(compiled > 1000)
    }
}
