import ManagerAPI
import Testing

@testable import ApplyCommands

/// Guards, field managers and dry runs of apply.
struct GuardsAndDryRunTests {
    private let world = World(input: manifest("a"))

    @Test(arguments: ["apply", "plan", "diff"])
    func guardsGoToTheServer(_ verb: String) async throws {
        let fake = FakeOrchestrator(.answering([]))
        _ = try await fake.serve(world) {
            await $0.run([
                verb, "-f", "-", "--if-revision", "0", "--field-manager", "ci",
                "--force-conflicts",
            ])
        }
        let sent = try #require(fake.requests(FakeOrchestrator.Applied.self).first)
        #expect(sent.header.hasIfRevision && sent.header.ifRevision == 0)
        #expect(sent.header.fieldManager == "ci" && sent.header.forceConflicts)
    }

    @Test func withoutThemNothingIsAsked() async throws {
        let fake = FakeOrchestrator(.answering([]))
        _ = try await fake.serve(world) { await $0.run(["-f", "-"]) }
        let sent = try #require(fake.requests(FakeOrchestrator.Applied.self).first)
        #expect(!sent.header.hasIfRevision && sent.header.fieldManager.isEmpty)
        #expect(!sent.header.forceConflicts && sent.header.expectPlan.isEmpty)
    }

    @Test func aFieldConflictIsCode4AndInTheJSON() async throws {
        var conflict = result(
            "a", .conflict,
            message: "topic is managed by ci since 2026-01-01T00:00:00Z: take it over with "
                + "--force-conflicts, leave the field out of the manifest, or give it the same value"
        )
        var field = Wsm_V1_FieldConflict()
        field.path = "topic"
        field.manager = "ci"
        field.since = 1_767_225_600
        conflict.fieldConflicts = [field]
        let run = try await run(
            "-f", "-", "-o", "json", world: world, script: .answering([conflict]))
        #expect(run.status == .conflict)
        #expect(run.output.contains("\"since\": \"2026-01-01T00:00:00Z\""))
        #expect(run.output.contains("\"manager\": \"ci\""))
        #expect(run.error.contains("topic is managed by ci since"))
        #expect(!run.error.contains("ways out"), "the server has said them")
    }

    // MARK: --dry-run=client

    @Test func aDryRunOfTheClientAsksNoServer() async {
        let set = """
            ---
            apiVersion: wsm.virtufin.com/v1
            kind: ConnectionSet
            metadata: {name: book}
            spec:
              list: [{n: 1}, {n: 2}]
              name: 'm-{{n}}'
              template: {spec: {url: 'ws://h/{{n}}'}}
            """
        let world = World(input: manifest("a") + set)
        let run = await world.run(["apply", "-f", "-", "--dry-run=client"])
        #expect(
            run.output == """
                connection/a compiled (dry run)
                connectionset/book compiled (dry run)
                connection/m-1 compiled (dry run)
                connection/m-2 compiled (dry run)
                4 objects compiled (dry run of the client)

                """)
        #expect(run.status == .done && run.error.isEmpty)
        let json = await world.run(["-f", "-", "--dry-run", "client", "-o", "json", "--prune"])
        #expect(json.output.contains("\"kind\": \"ApplyResult\""))
        #expect(json.output.contains("\"dryRun\": true"))
        #expect(json.output.contains("\"action\": \"compiled\""))
        #expect(json.error.contains("a prune would delete"))
        let broken = await World(input: "kind: Nothing\n").run(["-f", "-", "--dry-run=client"])
        #expect(broken.status == .invalid)
    }

    @Test(arguments: [["--dry-run"], ["--dry-run=server"], ["--dry-run", "server"]])
    func aDryRunOfTheServerIsTheRule(_ flag: [String]) async throws {
        let fake = FakeOrchestrator(.answering([result("a", .created)]))
        let run = try await fake.serve(world) { await $0.run(["-f", "-"] + flag) }
        #expect(run.output.hasPrefix("connection/a created (dry run)\n"))
        #expect(fake.requests(FakeOrchestrator.Applied.self).map(\.header.dryRun) == [true])
    }

    @Test(arguments: [
        (["-f", "-", "--dry-run=maybe"], "it should be client or server"),
        (["-f", "-", "--dry-run=client", "--wait"], "--wait has nothing to wait for"),
        (["-f", "-", "--if-revision=-1"], "0 or above"),
        (["-f", "-", "--wait=deleted"], "it should be Ready or FirstMessage"),
        (["-f", "-", "--field-manager", ""], "--field-manager needs a name"),
    ])
    func wrongUsageIsCode2(_ arguments: [String], _ sentence: String) async {
        let run = await world.run(arguments)
        #expect(run.status == .invalid)
        #expect(run.error.contains(sentence), "\(run.error)")
    }
}
