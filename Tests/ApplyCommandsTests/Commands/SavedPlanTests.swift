import Foundation
import GRPCCore
import ManagerAPI
import Testing

@testable import ApplyCommands

/// `plan --out` and `apply --plan`.
struct SavedPlanTests {
    private let directory: TemporaryDirectory
    private var file: String { directory.path + "/saved.plan" }

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func script(instance: String = "one", _ results: [Wsm_V1_ObjectResult])
        -> FakeOrchestrator.Script
    {
        var script = FakeOrchestrator.Script.answering(results)
        script.info = {
            var info = Wsm_V1_ServerInfo()
            info.instanceID = instance
            info.version = "9.9"
            return info
        }
        return script
    }

    @discardableResult
    private func save(_ arguments: String...) async throws -> Run {
        let fake = FakeOrchestrator(script([result("a", .created)]))
        return try await fake.serve(World(input: manifest("a"))) {
            await $0.run(["plan", "-f", "-", "--out", file] + arguments)
        }
    }

    @Test func appliesExactlyWhatWasPlanned() async throws {
        let saved = try await save(
            "--set", "prod", "--prune", "--max-prune", "30%", "--adopt", "--field-manager", "ci",
            "--force-conflicts")
        #expect(saved.status == .done)
        #expect(saved.error.contains("apply --plan"))
        var status = stat()
        #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let fake = FakeOrchestrator(script([result("a", .created)]))
        let applied = try await fake.serve { await $0.run(["apply", "--plan", file]) }
        #expect(applied.status == .done)
        #expect(applied.output.hasPrefix("connection/a created\n"))
        let sent = try #require(fake.requests(FakeOrchestrator.Applied.self).first)
        #expect(sent.header.set == "prod" && sent.header.prune && sent.header.adopt)
        #expect(sent.header.maxPrune == "30%" && sent.header.fieldManager == "ci")
        #expect(sent.header.forceConflicts && !sent.header.dryRun)
        #expect(sent.header.hasIfRevision && sent.header.ifRevision == 6)
        #expect(sent.header.expectPlan == "d1g357")
        #expect(sent.header.appliedBy == "ada@lab")
        #expect(sent.documents.map(\.origin) == ["<stdin>:1:1"])
        #expect(String(decoding: sent.documents[0].json, as: UTF8.self).contains(#""topic":"t""#))
    }

    @Test func isCode4WhereSomethingMoved() async throws {
        try await save()
        var moved = script([])
        moved.apply = { _, _ in
            throw RPCError(code: .aborted, message: "set default is at revision 8")
        }
        let refused = try await run("apply", "--plan", file, script: moved)
        #expect(refused.status == .conflict)
        #expect(refused.error == "error: set default is at revision 8\n")
        let other = try await run("apply", "--plan", file, script: script(instance: "two", []))
        #expect(other.status == .conflict)
        #expect(other.error.contains("made by server one"))
    }

    @Test(arguments: [
        ["-f", "x.yaml"], ["--set", "x"], ["--prune"], ["--adopt"], ["--if-revision", "3"],
        ["--field-manager", "x"], ["--force-conflicts"], ["--dry-run"],
    ])
    func takesNoOptionsThatWouldChangeIt(_ extra: [String]) async {
        let run = await World().run(["apply", "--plan", "x"] + extra)
        #expect(run.status == .invalid)
        #expect(run.error.contains("--plan applies exactly what was planned"))
    }

    @Test func aDamagedOrForeignFileIsCode2WithASentence() async throws {
        try await save()
        let good = try String(contentsOfFile: file, encoding: .utf8)
        let cases: [(String, String)] = [
            ("", "is no saved plan"), ("{}", "is no saved plan"),
            (String(good.dropLast(40)), "is no saved plan, or is cut off"),
            (good.replacingOccurrences(of: "ws://localhost", with: "ws://elsewhere"), "is damaged"),
            (
                good.replacingOccurrences(of: "\"baseRevision\": 6", with: "\"baseRevision\": 7"),
                "is damaged"
            ),
            (
                good.replacingOccurrences(of: "\"formatVersion\": 1", with: "\"formatVersion\": 2"),
                "format version 2"
            ),
        ]
        for (text, sentence) in cases {
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            let run = await World().run(["apply", "--plan", file])
            #expect(run.status == .invalid)
            #expect(run.error.contains(sentence), "\(run.error)")
        }
        let absent = await World().run(["apply", "--plan", directory.path + "/absent"])
        #expect(absent.status == .invalid)
    }

    @Test func aPlanWithAConflictIsNotSaved() async throws {
        let refused = try await run(
            "plan", "-f", "-", "--out", file, world: World(input: manifest("a")),
            script: script([result("a", .conflict, message: "it is not yours: --adopt")]))
        #expect(refused.status == .conflict)
        #expect(refused.error.contains("the plan is not saved"))
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test func aPlaceThatCannotBeWrittenIsCode2() async throws {
        let refused = try await run(
            "plan", "-f", "-", "--out", directory.path + "/no/dir/x",
            world: World(input: manifest("a")), script: script([result("a", .created)]))
        #expect(refused.status == .invalid)
        #expect(refused.error.contains("No such file or directory"))
    }
}
