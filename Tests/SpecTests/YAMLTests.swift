import Testing

@testable import Spec

struct CoreSchemaTests {
    @Test(arguments: [
        ("", Scalar.Kind.null), ("~", .null), ("null", .null), ("Null", .null), ("NULL", .null),
        ("nUll", .string), ("true", .bool), ("True", .bool), ("TRUE", .bool), ("tRue", .string),
        ("false", .bool), ("yes", .string), ("no", .string), ("on", .string), ("off", .string),
        ("0", .int), ("-1", .int), ("+1", .int), ("010", .int), ("0o17", .int), ("0x1F", .int),
        ("0o8", .string), ("0xg", .string), ("0b1", .string), ("1_000", .string), ("1.", .float),
        (".5", .float), ("1.5", .float), ("1e3", .float), ("-1.5E-3", .float), (".", .string),
        ("-", .string), ("+", .string), ("1e", .string), ("e3", .string), (".inf", .float),
        ("-.Inf", .float), (".nan", .float), ("-.nan", .string), ("1:30", .string),
        ("30s", .string),
        ("1.2.3", .string), ("--1", .string), ("2026-01-01", .string),
    ])
    func plainScalarsHaveTheTypesOfYAML12(_ text: String, _ kind: Scalar.Kind) {
        #expect(Scalar.plain(text).kind == kind, "\(text)")
        #expect(Scalar.string(text).kind == .string)
    }
}

struct YAMLWriterTests {
    @Test func awkwardStringsReadBack() throws {
        let strings = [
            "", " ", "a", "a b", "a: b", "a #b", "#a", "yes", "No", "null", "~", "1", "1.5", "0x1f",
            "1_000", "12:30", "2026-01-01", "- a", "-", "?", "? a", "a:", ":a", "{a}", "[a]", "'",
            "\"",
            "\\", "it's", "\n", "a\n", "a\nb", "a\n\nb\n", "a\n\n", "\na", " a\nb", "a \nb", "\ta",
            "a\tb",
            "\r\n", "a\rb", "\0", "\u{7F}", "\u{85}", "\u{A0}", "\u{2028}", "\u{FEFF}", "\u{FFFE}",
            "é",
            "😀", "%a", "@a", "`a", "&a", "*a", "!a", "|", ">", "---", "...", "<<", "=", "a,b",
            "${x}",
            "{{x}}", "key: |\n  x", "a\n---\nb", "a\n...\n", "#\n#", "a\n b\n  c",
            "\u{1F600}\u{0301}",
            String(repeating: "x", count: 3000), "trailing ", "0o17", "1e3", ".inf", "y", "N",
        ]
        let value = JSONValue.object([
            .init("items", .array(strings.map { .string($0) })),
            .init("map", .object(strings.map { .init($0, .string($0)) })),
            .init("nested", .array([.array([.array([]), .object([]), .array([.number("1")])])])),
            .init("scalars", .array([.null, .bool(true), .bool(false), .number("-1.5e3")])),
        ])
        #expect(try read(ManifestRenderer.yaml(value)) == value)
    }

    @Test func randomTreesReadBack() throws {
        var random = SeededGenerator(seed: 42)
        for _ in 0..<500 {
            let value = tree(depth: 3, &random)
            let text = ManifestRenderer.yaml(value)
            #expect(try read(text) == value, "\(text)")
        }
    }

    @Test func readsWell() {
        let json = #"{"a":{"b":[{"c":1,"d":"x y"},"e"],"f":[],"g":{}},"pem":"l1\nl2\n","s":"1"}"#
        #expect(
            ManifestRenderer.yaml(json: Array(json.utf8)) == """
                a:
                  b:
                    - c: 1
                      d: 'x y'
                    - e
                  f: []
                  g: {}
                pem: |
                  l1
                  l2
                s: '1'

                """)
    }

    private func tree(depth: Int, _ random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .number(String(Int.random(in: -1000...1000, using: &random)))
        case 3, 4: return .string(string(&random))
        case 5:
            let count = Int.random(in: 0...4, using: &random)
            return .array((0..<count).map { _ in tree(depth: depth - 1, &random) })
        default:
            var members: [JSONValue.Member] = []
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let key = string(&random)
                guard !members.contains(where: { $0.key == key }) else { continue }
                members.append(.init(key, tree(depth: depth - 1, &random)))
            }
            return .object(members)
        }
    }

    private func string(_ random: inout SeededGenerator) -> String {
        let alphabet: [Unicode.Scalar] = [
            "a", "b", "1", "0", " ", "\n", ":", "#", "-", "'", "\"", "\\", "{", "}", "[", "]", ",",
            "&",
            "*", "!", "|", ">", "%", "@", "~", "\t", "\r", "\0", "é", "\u{85}", "\u{2028}", "😀",
            ".",
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            text.unicodeScalars.append(alphabet.randomElement(using: &random) ?? "a")
        }
        return text
    }

    /// Reads one YAML document as it stands.
    private func read(_ text: String) throws -> JSONValue? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { buffer in
            guard var reader = YAMLReader(buffer, text: bytes[...]),
                let document = reader.next(), document.findings.isEmpty
            else { return nil }
            return document.root.map { JSONValue($0) }
        }
    }
}
