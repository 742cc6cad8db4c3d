import Testing

@testable import Spec

struct ConnectionSetTests {
    @Test func hundredThousandMembersCompile() throws {
        let rows = (0..<100_000).map { "    - {venue: v\($0 % 50), n: \($0)}" }
        let compilation = compile(
            set(
                "list:\n" + rows.joined(separator: "\n"), name: "{{venue}}-{{n}}",
                url: "ws://{{venue}}/{{n}}"))
        let object = try #require(compilation.objects.first, "\(compilation.lines.prefix(3))")
        #expect(compilation.diagnostics.isEmpty)
        #expect(object.connections.count == 100_000)
        #expect(object.connections[99_999].metadata.name == "v49-99999")
        #expect(object.connections[99_999].spec.url == "ws://v49/99999")
    }

    @Test func oneMoreMemberIsRefused() {
        let rows = Array(repeating: "{a: b}", count: 100_001).joined(separator: ",")
        #expect(
            compile(set("list: [\(rows)]", name: "{{a}}", url: "ws://{{a}}/")).lines == [
                "m.yaml:5:9: spec.list: a set has at most 100,000 members; these are 100001"
            ])
        let numbers = (0..<317).map(String.init).joined(separator: ",")
        let matrix = "matrix: {a: [\(numbers)], b: [\(numbers)]}"
        #expect(
            compile(set(matrix, name: "{{a}}-{{b}}", url: "ws://x/")).lines == [
                "m.yaml:5:11: spec.matrix: a set has at most 100,000 members; these are 100489"
            ])
    }

    @Test func expandedTextIsBounded() {
        // 200 kB of template times 1,000 members would be 200 MB.
        let long = String(repeating: "x", count: 200_000)
        let rows = (0..<1000).map { "{a: \($0)}" }.joined(separator: ",")
        let lines = compile(
            """
            apiVersion: wsm.virtufin.com/v1
            kind: ConnectionSet
            metadata: {name: s}
            spec:
              list: [\(rows)]
              name: "n{{a}}"
              template: {spec: {url: ws://x/, onOpen: [{text: "\(long){{a}}"}]}}
            """
        ).lines
        #expect(lines.count == 1)
        #expect(lines.first?.contains("come to more than 128MiB") == true)
        let uses = String(repeating: "{{a}}", count: 20_000)
        let value = String(repeating: "y", count: 20_000)
        let one = compile(
            set("list: [{a: \(value), b: c}]", name: "n{{b}}", url: "ws://x/\(uses)")
        ).lines
        #expect(one.count == 1)
        #expect(one.first?.contains("come to more than 128MiB") == true)
    }

    @Test func firstTwentyFaultyMembersAreTold() throws {
        let rows = (0..<1000).map { "{a: 'x \($0)', n: \($0)}" }.joined(separator: ", ")
        let lines = compile(set("list: [\(rows)]", name: "m-{{n}}", url: "ws://h/{{a}}")).lines
        #expect(lines.count == 21)
        #expect(
            lines.first
                == "m.yaml:7:26: spec.template.spec.url: member m-0: a URL has no blanks; write %20"
        )
        #expect(lines.last == "m.yaml:7:26: spec.template: and 980 more members with errors")
    }

    @Test func expansionFollowsTheRules() throws {
        let compilation = compile(
            """
            apiVersion: wsm.virtufin.com/v1
            kind: ConnectionSet
            metadata: {name: s}
            spec:
              list: [{a: Ab, b: 12, c: true}]
              name: "{{a|lower}}.{{ b }}.{{c}}"
              template:
                metadata: {labels: {"{{a}}": "{{a|upper}}"}}
                spec:
                  url: "ws://h/{{{{a}}/{{a}}}}/{x}"
                  headers: {"X-A": "{{a}}{{b}}", "X-B": {valueFrom: {env: "V_{{a}}"}}}
                  keepalive: {pingInterval: "{{b}}s"}
                  subprotocols: ["p{{b}}", q]
                  correlation: {mode: next, match: {path: "x.{{a}}", equals: "{{b}}"}}
            """)
        let member = try #require(
            compilation.objects.first?.connections.first, "\(compilation.lines)")
        #expect(member.metadata.name == "ab.12.true")
        #expect(member.metadata.labels == ["{{a}}": "AB"])
        #expect(member.spec.url == "ws://h/{{a}}/Ab}}/{x}")
        #expect(
            member.spec.headers == [
                "X-A": .literal("Ab12"), "X-B": .secret(.environment("V_Ab")),
            ])
        #expect(member.spec.keepalive.pingInterval == .seconds(12))
        #expect(member.spec.subprotocols == ["p12", "q"])
        #expect(member.spec.correlation.match == .pathEquals(path: "x.Ab", value: .string("12")))
        #expect(member.declared.contains("keepalive.pingInterval"))
        #expect(!member.declared.contains("topic"))
    }

    @Test func bracesInAConnectionAreText() throws {
        let spec = try #require(
            compile(connectionYAML("  url: 'ws://a/{{x}}'\n  topic: '${y}{{z}}'")).spec)
        #expect(spec.url == "ws://a/{{x}}")
        #expect(spec.topic == "${y}{{z}}")
    }

    @Test func emptySetIsAWarning() {
        let compilation = compile(set("list: []", name: "{{a}}", url: "ws://{{a}}/"))
        #expect(compilation.lines == ["m.yaml:5:3: warning: spec: the set has no members"])
        #expect(compilation.objects.first?.connections.isEmpty == true)
    }

    @Test func membersShareTheNamesOfConnections() {
        let text = set("list: [{a: x}]", name: "{{a}}", url: "ws://{{a}}/")
        let connection = connectionYAML("  url: ws://a/", name: "x")
        #expect(
            compile(text + "\n---\n" + connection).lines == [
                "m.yaml:11:18: metadata.name: a Connection named x is there already, at m.yaml:5:10, "
                    + "as a member of the set s"
            ])
    }

    private func set(_ rows: String, name: String, url: String) -> String {
        """
        apiVersion: wsm.virtufin.com/v1
        kind: ConnectionSet
        metadata: {name: s}
        spec:
          \(rows)
          name: "\(name)"
          template: {spec: {url: "\(url)"}}
        """
    }
}
