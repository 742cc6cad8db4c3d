import ApplyCommands
import ManagerAPI
import Spec
import Testing

/// `-o ndjson`: every line is one object of the same five members.
struct RecordTests {
    private func records(_ run: Run) throws -> [JSONValue] {
        try run.output.split(separator: "\n").map { line in
            let record = try JSONValue.parse(Array(line.utf8))
            guard case .object(let members) = record else { return .null }
            #expect(members.map(\.key) == ["time", "level", "type", "object", "fields"])
            #expect(record["time"] == "1970-01-12T13:46:40Z")
            return record
        }
    }

    private func told(_ records: [JSONValue]) -> [[JSONValue?]] {
        records.map { [$0["level"], $0["type"], $0["object"]] }
    }

    @Test func applyTellsResultsWarningsAndTheSummary() async throws {
        let script = FakeOrchestrator.Script.answering(
            [
                result("a", .created),
                result("b", .configured, edits: [edit("topic", "x", "y")]),
            ], warnings: ["mind the gap"])
        let run = try await run(
            "-f", "-", "-o", "ndjson", world: World(input: manifest("a")), script: script)
        let records = try records(run)
        #expect(
            told(records) == [
                ["info", "result", "connection/a"], ["info", "result", "connection/b"],
                ["warning", "warning", ""], ["info", "summary", ""],
            ])
        #expect(
            records[1]["fields"]?["edits"] == [
                ["path": "topic", "old": "x", "new": "y", "effect": "keep"]
            ])
        #expect(records[3]["fields"]?["configured"] == 1)
        #expect(run.status == .done)
    }

    @Test func aWaitTellsChangesAsTheyHappen() async throws {
        var script = FakeOrchestrator.Script.answering([result("a", .created)])
        script.watch = { _, send in
            try await send(
                watched(
                    change(.present, object("a", phase: "Connecting", ready: false)),
                    change(.synced)))
            try await send(watched(change(.changed, object("a"))))
            try await waitForCancellation()
        }
        let run = try await run(
            "-f", "-", "--wait", "-o", "ndjson", world: World(input: manifest("a")),
            script: script)
        let records = try records(run)
        #expect(
            told(records) == [
                ["info", "result", "connection/a"], ["info", "summary", ""],
                ["info", "progress", "connection/a"], ["info", "progress", "connection/a"],
                ["info", "wait", ""],
            ])
        #expect(records[2]["fields"]?["phase"] == "Connecting")
        #expect(records[3]["fields"]?["ready"] == true)
        #expect(records[4]["fields"]?["outcome"] == "reached")
    }

    @Test func conflictsAreErrors() async throws {
        let run = try await run(
            "plan", "-f", "-", "-o", "ndjson", world: World(input: manifest("a")),
            script: .answering([result("a", .conflict)]))
        #expect(told(try records(run))[0] == ["error", "result", "connection/a"])
        #expect(run.status == .conflict)
    }

    @Test func validateTellsObjectsAndDiagnostics() async throws {
        let good = await World(input: manifest("a")).run(["validate", "-f", "-", "-o", "ndjson"])
        #expect(told(try records(good)) == [["info", "object", "connection/a"]])
        let bad = await World(input: "kind: 1\n").run(["validate", "-f", "-", "-o", "ndjson"])
        let records = try records(bad)
        #expect(told(records).allSatisfy { $0 == ["error", "diagnostic", ""] })
        #expect(records[0]["fields"]?["line"] == 1)
        #expect(bad.status == .invalid)
    }

    @Test func getAndDeleteTellEachObject() async throws {
        var script = FakeOrchestrator.Script()
        script.list = { request in
            var response = Wsm_V1_ListResponse()
            if request.kind == "Connection" { response.objects = [object("a"), object("b")] }
            return response
        }
        let got = try await run("get", "-o", "ndjson", world: World(), script: script)
        let records = try records(got)
        #expect(
            told(records) == [
                ["info", "object", "connection/a"], ["info", "object", "connection/b"],
            ])
        #expect(records[0]["fields"]?["phase"] == "Connected")
    }

    @Test func aResultThatIsOneThingIsOneLine() async throws {
        let run = await World().run(["version", "--client", "-o", "ndjson"])
        #expect(told(try records(run)) == [["info", "result", ""]])
    }
}
