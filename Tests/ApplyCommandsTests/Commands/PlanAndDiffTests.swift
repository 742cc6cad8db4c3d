import ApplyCommands
import ManagerAPI
import Testing

struct PlanAndDiffTests {
    private let world = World(input: manifest("a"))
    private let everything: [Wsm_V1_ObjectResult] = [
        result("a", .created, origin: "<stdin>:1:1"),
        result("b", .configured, edits: [edit("topic", "old", "new")], origin: "b.yaml:1:1"),
        result(
            "c", .configured,
            edits: [
                edit("url", "wss://x/1", "wss://x/2", effect: "reopen"),
                edit(
                    "headers.Authorization", "env:WSM_SECRET_A", "env:WSM_SECRET_B",
                    effect: "reopen"),
                edit("keepalive.pingInterval", nil, "5s"),
            ], cuts: true, origin: "b.yaml:9:1"),
        result("d", .pruned, cuts: true), result("e", .unchanged), result("f", .adopted),
    ]

    @Test func planMarksEachObjectAndCountsTheSocketsItCuts() async throws {
        let run = try await run("plan", "-f", "-", world: world, script: .answering(everything))
        #expect(
            run.output == """
                +   connection/a
                ~   connection/b
                      topic: old -> new
                -/+ connection/c cuts the socket: url, headers.Authorization
                      url: wss://x/1 -> wss://x/2
                      headers.Authorization: env:WSM_SECRET_A -> env:WSM_SECRET_B
                      keepalive.pingInterval: (not set) -> 5s
                -   connection/d
                =   connection/e
                ~   connection/f (adopted)

                2 live sockets will be cut
                plan: 1 to create, 2 to configure, 1 to adopt, 1 to prune, 1 unchanged
                apply with: --if-revision 6

                """)
        #expect(run.status == .done)
    }

    @Test func planOfManyMembersIsShort() async throws {
        let members = (1...50).map { result("m\($0)", .configured, of: "book", cuts: true) }
        let same = (1...20).map { result("u\($0)", .unchanged) }
        let run = try await run("plan", "-f", "-", world: world, script: .answering(members + same))
        #expect(
            run.output == """
                -/+ connectionset/book: 50 connections
                =   20 unchanged

                50 live sockets will be cut
                plan: 0 to create, 50 to configure, 0 to prune, 20 unchanged
                apply with: --if-revision 6

                """)
    }

    @Test func anEmptyPlanSaysThatNothingIsCut() async throws {
        let run = try await run("plan", "-f", "-", world: world, script: .answering([]))
        #expect(
            run.output == """
                no live socket will be cut
                plan: 0 to create, 0 to configure, 0 to prune, 0 unchanged

                """)
    }

    @Test func planAsksPlanAndSaysDryRunInJSON() async throws {
        var script = FakeOrchestrator.Script.answering([result("a", .created)])
        script.apply = nil
        let run = try await run("plan", "-f", "-", "-o", "json", world: world, script: script)
        #expect(run.output.contains("\"kind\": \"Plan\""))
        #expect(run.output.contains("\"dryRun\": true"))
        #expect(run.status == .done)
    }

    @Test func planNamesWhatWouldChange() async throws {
        let run = try await run(
            "plan", "-f", "-", "-o", "name", world: world, script: .answering(everything))
        #expect(
            run.output == "connection/a\nconnection/b\nconnection/c\nconnection/d\nconnection/f\n")
    }

    @Test func aPlanWithAConflictIsCode4() async throws {
        let run = try await run(
            "plan", "-f", "-", world: world,
            script: .answering([result("a", .conflict, message: "belongs to set x")]))
        #expect(run.status == .conflict)
        #expect(run.error.hasPrefix("error: connection/a conflict: belongs to set x\n"))
    }

    @Test func diffShowsOldAndNewAndIsCode1() async throws {
        let run = try await run("diff", "-f", "-", world: world, script: .answering(everything))
        #expect(
            run.output == """
                --- /dev/null
                +++ connection/a (<stdin>:1:1)
                +apiVersion: wsm.virtufin.com/v1
                +kind: Connection
                +metadata:
                +  name: a
                +spec:
                +  topic: t
                +  url: ws://localhost:9/
                --- connection/b (live)
                +++ connection/b (b.yaml:1:1)
                @@ topic @@
                -topic: old
                +topic: new
                --- connection/c (live)
                +++ connection/c (b.yaml:9:1)
                @@ url cuts the socket @@
                -url: wss://x/1
                +url: wss://x/2
                @@ headers.Authorization cuts the socket @@
                -headers.Authorization: env:WSM_SECRET_A
                +headers.Authorization: env:WSM_SECRET_B
                @@ keepalive.pingInterval @@
                +keepalive.pingInterval: 5s
                --- connection/d (live)
                +++ /dev/null
                -connection/d
                --- connection/f (live)
                +++ connection/f (input)
                @@ adopted by set default @@

                """)
        #expect(run.status == .different)
    }

    @Test func diffOfManyMembersIsShort() async throws {
        let members = (1...50).map { result("m\($0)", .created, of: "book") }
        let few = [
            result("old-1", .pruned, of: "book"),
            result("m-x", .configured, of: "book", edits: [edit("topic", "a", "b")]),
        ]
        let run = try await run("diff", "-f", "-", world: world, script: .answering(members + few))
        #expect(
            run.output == """
                --- connection/m-x (live)
                +++ connection/m-x (input)
                @@ topic @@
                -topic: a
                +topic: b
                +connectionset/book: 50 connections
                -connection/old-1 of connectionset/book

                """)
        #expect(run.status == .different)
    }

    @Test func diffWithoutDifferenceIsSilentAndCode0() async throws {
        let run = try await run(
            "diff", "-f", "-", world: world,
            script: .answering([result("a", .unchanged), result("p", .protected)]))
        #expect(run.output == "")
        #expect(run.error == "")
        #expect(run.status == .done)
    }

    @Test func diffColoursOnATerminalOnly() async throws {
        var terminal = world
        terminal.outputIsTerminal = true
        let script = FakeOrchestrator.Script.answering([
            result("b", .configured, edits: [edit("topic", "old", "new")])
        ])
        let colored = try await run("diff", "-f", "-", world: terminal, script: script)
        #expect(colored.output.contains("\u{1B}[31m-topic: old\u{1B}[0m\n"))
        #expect(colored.output.contains("\u{1B}[32m+topic: new\u{1B}[0m\n"))
        terminal.environment["NO_COLOR"] = "1"
        let obeying = try await run("diff", "-f", "-", world: terminal, script: script)
        #expect(!obeying.output.contains("\u{1B}"))
    }

    @Test func aDiffThatCannotBeMadeIsAbove1() async throws {
        let run = await world.run(["diff", "-f", "-", "--server", "127.0.0.1:1"])
        #expect(run.status == .unreachable)
    }
}
