import ApplyCommands
import Testing

struct ValidateCommandTests {
    @Test func countsWhatIsValidWithoutAServer() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("a.yaml", manifest("a") + "---\n" + manifest("b"))
        try directory.write(
            "book.yaml",
            """
            apiVersion: wsm.virtufin.com/v1
            kind: ConnectionSet
            metadata: {name: book}
            spec:
              matrix: {symbol: [btc, eth, sol]}
              name: book-{{symbol}}
              template:
                spec: {url: "ws://localhost/{{symbol}}", topic: "book.{{symbol}}"}
            """)
        let run = await World().run(["validate", "-f", directory.path])
        #expect(run.output == "3 objects valid (5 connections)\n")
        #expect(run.error == "")
        #expect(run.status == .done)
        let one = await World(input: manifest("a")).run(["validate", "-f", "-"])
        #expect(one.output == "1 object valid\n")
    }

    @Test func printsEveryDiagnosticWithItsPlace() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("1.yaml", manifest("a").replacing("topic: t", with: "topc: t"))
        try directory.write("2.yaml", manifest("A"))
        let run = await World().run(["validate", "-f", directory.path])
        #expect(run.status == .invalid)
        #expect(run.output == "")
        let lines = run.error.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("\(directory.path)/1.yaml:6:3: spec.topc: unknown key"))
        #expect(lines[1].hasPrefix("\(directory.path)/2.yaml:4:9: metadata.name: "))
        #expect(lines[2] == "error: 2 problems in the input")
    }

    @Test func jsonHasObjectsAndDiagnostics() async throws {
        let run = await World(input: manifest("a") + "status: {}\n")
            .run(["validate", "-f", "-", "-o", "json", "-q"])
        #expect(run.status == .done)
        #expect(run.error == "")
        #expect(run.output.contains("\"valid\": true"))
        #expect(run.output.contains("\"severity\": \"warning\""))
        #expect(run.output.contains("\"origin\": \"<stdin>:1:1\""))
        let broken = await World(input: "kind: 1\n").run(["validate", "-f", "-", "-o", "json"])
        #expect(broken.status == .invalid)
        #expect(broken.output.contains("\"valid\": false"))
    }

    @Test func namesAreOneALine() async throws {
        let run = await World(input: manifest("a")).run(["validate", "-f", "-", "-o", "name"])
        #expect(run.output == "connection/a\n")
    }

    @Test func manyWarningsAreCutShort() async throws {
        let documents = (1...30).map { "---\n" + manifest("c\($0)") + "status: {}\n" }
        let run = await World(input: documents.joined()).run(["validate", "-f", "-"])
        #expect(run.status == .done)
        let lines = run.error.split(separator: "\n")
        #expect(lines.count == 21)
        #expect(lines[20] == "… and 10 more warnings")
    }
}
