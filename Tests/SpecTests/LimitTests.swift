import Testing

@testable import Spec

/// The bounds of a file, and that what lies beyond them is refused early.
struct LimitTests {
    @Test func sizeIsBounded() {
        let line = "# a comment\n"
        let text = String(repeating: line, count: ManifestLimits.maxBytes / line.utf8.count + 1)
        #expect(compile(text).lines == ["m.yaml:1:1: the file is larger than 16MiB"])
    }

    @Test func depth64IsAcceptedAnd65IsNot() {
        func nested(_ depth: Int) -> [String] {
            let list =
                String(repeating: "[", count: depth - 2) + String(repeating: "]", count: depth - 2)
            return compile(connectionYAML("  url: ws://a/\n  topic: \(list)")).lines
        }
        #expect(nested(64).first?.contains("spec.topic: a string is wanted") == true)
        #expect(nested(65).first?.contains("nested deeper than 64") == true)
    }

    @Test func depthCountsThroughAliases() {
        var text = "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n"
        for index in 1..<8 {
            text += "a\(index): &a\(index) [[[[[[[[[*a\(index - 1)]]]]]]]]]\n"
        }
        #expect(compile(text).lines.first?.contains("nested deeper than 64") == true)
    }

    @Test(arguments: [false, true])
    func nodesAreBounded(_ isJSON: Bool) {
        let items = Array(repeating: "1", count: 100_000).joined(separator: ",")
        let text = isJSON ? #"{"a":[\#(items)]}"# : "a: [\(items)]"
        #expect(compile(text).lines.first?.contains("more than 100000 nodes") == true)
    }

    @Test func manyDocumentsMayHaveMoreNodesTogether() {
        let labels = (0..<20).map { "l\($0): v" }.joined(separator: ", ")
        let documents = (0..<3000).map { index in
            """
            apiVersion: wsm.virtufin.com/v1
            kind: Connection
            metadata: {name: c\(index), labels: {\(labels)}}
            spec: {url: ws://a/}
            """
        }
        let compilation = compile(documents.joined(separator: "\n---\n"))
        #expect(compilation.objects.count == 3000)
        #expect(compilation.diagnostics.isEmpty)
    }

    @Test func documentsAreBounded() {
        let text = String(repeating: "---\n", count: 10_000)
        #expect(compile(text).diagnostics.isEmpty)
        #expect(
            compile(text + "---\n").lines == [
                "m.yaml:10001:1: the file has more than 10000 documents"
            ])
    }

    @Test func aliasBombCountsNodesInsteadOfMakingThem() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for index in 1..<20 {
            let items = Array(repeating: "*a\(index - 1)", count: 10).joined(separator: ", ")
            text += "a\(index): &a\(index) [\(items)]\n"
        }
        let bytes = Array(text.utf8)
        let line: UInt32? = bytes.withUnsafeBufferPointer { buffer in
            guard var reader = YAMLReader(buffer, text: bytes[...]) else { return nil }
            return reader.next()?.findings.last?.mark.line
        }
        // 11 + 111 + 1111 … : the fifth line would pass the limit, so nothing after it is read.
        #expect(line == 5)
    }

    @Test func aliasesOfAllDocumentsAreCountedTogether() {
        let document = "a: &a [x, x, x, x, x, x, x, x, x]\nb: [*a, *a, *a, *a, *a]\n---\n"
        let lines = compile(String(repeating: document, count: 3000)).lines
        #expect(lines.last?.contains("more problems") == true)
        #expect(lines.count == ManifestLimits.maxDiagnostics + 1)
        let bytes = Array(String(repeating: document, count: 3000).utf8)
        let count = bytes.withUnsafeBufferPointer { buffer in
            guard var reader = YAMLReader(buffer, text: bytes[...]) else { return 0 }
            var count = 0
            while let document = reader.next(), document.root != nil { count += 1 }
            return count
        }
        #expect(count == 2000)
    }

    @Test func diagnosticsAreBounded() {
        let keys = (0..<5000).map { "  k\($0): 1" }.joined(separator: "\n")
        let compilation = compile(connectionYAML("  url: ws://a/\n" + keys))
        #expect(compilation.diagnostics.count == ManifestLimits.maxDiagnostics + 1)
        #expect(compilation.lines.last?.hasSuffix("and 4000 more problems in this file") == true)
        let headers = (0..<5000).map { "    'h \($0)': a" }.joined(separator: "\n")
        let other = compile(connectionYAML("  url: ws://a/\n  headers:\n" + headers))
        #expect(other.lines.last?.hasSuffix("and 4001 more problems in this file") == true)
    }

    @Test func deepOpeningBracketsEndAtTheLimit() {
        for bracket in ["[", "{a: ", "- ", "? "] {
            let lines = compile(String(repeating: bracket, count: 100_000)).lines
            #expect(lines.count == 1, "\(bracket)")
            #expect(lines[0].hasSuffix("nested deeper than 64"), "\(bracket)")
        }
    }

    /// 15 billion placeholders: counted, not filled in. Filling 128 MiB of them in takes a debug
    /// build twenty seconds.
    @Test func placeholdersBeyondTheBoundAreNotFilledIn() {
        let numbers = (0..<100_000).map(String.init).joined(separator: ",")
        let uses = String(repeating: "{{i}}", count: 150_000)
        let text = """
            apiVersion: wsm.virtufin.com/v1
            kind: ConnectionSet
            metadata: {name: s}
            spec:
              matrix: {i: [\(numbers)]}
              name: "n{{i}}"
              template: {spec: {url: ws://x/, onOpen: [{text: "\(uses)"}]}}
            """
        let time = ContinuousClock().measure {
            #expect(compile(text).lines.first?.contains("come to more than 128MiB") == true)
        }
        #expect(time < .seconds(10))
    }

    @Test func whatADiagnosticQuotesIsBounded() {
        let long = String(repeating: "9", count: 1_000_000)
        let texts = [
            "!\(long) a", "a: !!\(long) b", connectionYAML("  url: ws://a/\n  ? k\(long)\n  : 1"),
            connectionYAML("  url: ws://a/\n  reconnect: {maxAttempts: \(long)}"),
            connectionYAML("  url: ws://a/\n  timeouts: {dial: 1\(long)x}"),
            connectionYAML("  url: ws://a/\n  buffer: {overflow: é\(long)é}"),
            "kind: \(long)", "apiVersion: 'v\(long)'", #"{"kind":"\#(long)"}"#,
        ]
        for text in texts {
            let lines = compile(text).lines
            #expect(!lines.isEmpty, "\(text.prefix(40))")
            for line in lines { #expect(line.utf8.count < 1_500, "\(line.prefix(200))") }
        }
    }

    @Test func annotationsAndHeadersAreBoundedInAll() {
        func annotated(_ count: Int) -> [String] {
            compile(
                """
                apiVersion: wsm.virtufin.com/v1
                kind: Connection
                metadata: {name: a, annotations: {big: \(String(repeating: "x", count: count))}}
                spec: {url: ws://a/}
                """
            ).lines
        }
        #expect(annotated(65533).isEmpty)
        #expect(
            annotated(65534) == [
                "m.yaml:3:34: metadata.annotations: annotations have at most 64KiB in all"
            ])
        func header(_ count: Int) -> [String] {
            let value = String(repeating: "x", count: count)
            return compile(connectionYAML("  url: ws://a/\n  headers: {X: \(value)}")).lines
        }
        #expect(header(16383).isEmpty)
        #expect(
            header(16384) == ["m.yaml:6:12: spec.headers: the headers have at most 16KiB in all"])
    }

    @Test func onOpenMessagesAreBounded() {
        func text(_ count: Int) -> [String] {
            let value = String(repeating: "x", count: count)
            return compile(connectionYAML("  url: ws://a/\n  onOpen: [{text: \(value)}]")).lines
        }
        #expect(text(1 << 20).isEmpty)
        #expect(text((1 << 20) + 1).count == 1)
        let base64 = Base64.encode([UInt8](repeating: 1, count: (1 << 20) + 1))
        #expect(
            compile(connectionYAML("  url: ws://a/\n  onOpen: [{base64: \(base64)}]")).lines
                == ["m.yaml:6:21: spec.onOpen[0].base64: a message has at most 1MiB"])
    }
}

/// Sources with nothing in them, or not what they seem.
struct SourceTests {
    @Test(arguments: ["", "\n", "# only a comment\n", "\u{FEFF}", "---\n...\n---\n", " \n\r\n"])
    func emptySourcesHaveNothingToSay(_ text: String) {
        let compilation = compile(text)
        #expect(compilation.objects.isEmpty && compilation.diagnostics.isEmpty)
    }

    @Test func noSourcesAreNoObjects() {
        let compilation = ManifestCompiler.compile([])
        #expect(compilation.objects.isEmpty && !compilation.hasErrors)
    }

    @Test func wireDocumentIsJSONAndNothingElse() {
        for text in ["", "a: b", "{} {}", "[", "null", "[1]"] {
            let compilation = ManifestCompiler.compileJSON(Array(text.utf8), name: "wire")
            #expect(compilation.diagnostics.count == 1, "\(text)")
            #expect(compilation.hasErrors)
        }
    }

    @Test func positionsCountCharactersFromOneAfterAByteOrderMark() {
        let lines = compile("\u{FEFF}apiVersion: é\r\nkind: 😀 x\r\n").lines
        #expect(lines.map { $0.prefix(12) } == ["m.yaml:1:13:", "m.yaml:2:7: "])
        let json = "\u{FEFF}{\"apiVersion\":\"é😀\",\"kind\":\"ü\"}"
        let other = ManifestCompiler.compileJSON(Array(json.utf8), name: "w").lines
        #expect(other.map { $0.prefix(7) } == ["w:1:15:", "w:1:27:"])
    }

    @Test func anErrorInOneDocumentLeavesTheOthers() {
        let good = connectionYAML("  url: ws://a/", name: "good")
        let bad = connectionYAML("  url: a", name: "bad")
        let last = connectionYAML("  url: ws://a/", name: "last")
        let compilation = compile([good, bad, last].joined(separator: "\n---\n"))
        #expect(compilation.objects.map(\.metadata.name) == ["good", "last"])
        #expect(compilation.hasErrors)
    }
}
