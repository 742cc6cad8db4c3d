import ApplyCommands
import GRPCCore
import ManagerAPI
import Testing

/// What goes wrong, and the exit code it has.
struct ApplyFailureTests {
    private let world = World(input: manifest("a"))

    @Test func everyProblemOfTheInputIsSaidAndNothingIsSent() async throws {
        var world = world
        world.input = """
            apiVersion: wsm.virtufin.com/v1
            kind: Connection
            metadata: {name: a}
            spec:
              url: ws://localhost/
              topik: t
              keepalive: {pingInterval: 20}
            """
        let fake = FakeOrchestrator(.answering([]))
        let run = try await fake.serve(world) { await $0.run(["-f", "-"]) }
        #expect(run.status == .invalid)
        #expect(run.output == "")
        let lines = run.error.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("<stdin>:6:3: spec.topik: unknown key"))
        #expect(lines[0].hasSuffix("(did you mean topic?)"))
        #expect(lines[1].hasPrefix("<stdin>:7:29: spec.keepalive.pingInterval: "))
        #expect(lines[2] == "error: 2 problems in the input")
        #expect(fake.requests(FakeOrchestrator.Applied.self).isEmpty)
    }

    @Test func aConflictAloneIsCode4AndNamesTheWaysOut() async throws {
        let run = try await run(
            "-f", "-", world: world,
            script: .answering([
                result(
                    "a", .conflict, message: "belongs to set \"prod\"", origin: "<stdin>:1:1"),
                result("b", .unchanged),
            ]))
        #expect(run.status == .conflict)
        #expect(
            run.error == """
                error: <stdin>:1:1: connection/a conflict: belongs to set "prod"
                  ways out: --adopt takes it over without a reconnect; apply it with the --set that \
                owns it; or take it out of the input

                """)
        #expect(
            run.output == """
                connection/b unchanged
                0 created, 0 configured, 1 unchanged, 0 pruned, 1 conflict, 0 failed

                """)
    }

    @Test func aConflictWhoseMessageHasTheWaysOutIsNotToldThemTwice() async throws {
        let run = try await run(
            "-f", "-", world: world,
            script: .answering([result("a", .conflict, message: "owned by grpc; use --adopt")]))
        #expect(run.error == "error: connection/a conflict: owned by grpc; use --adopt\n")
    }

    @Test func someAppliedAndSomeNotIsCode5() async throws {
        let run = try await run(
            "-f", "-", world: world,
            script: .answering([
                result("a", .created), result("b", .failed, message: "too many connections"),
            ]))
        #expect(run.status == .partial)
        #expect(run.error == "error: connection/b failed: too many connections\n")
        #expect(
            run.output == """
                connection/a created
                1 created, 0 configured, 0 unchanged, 0 pruned, 1 failed

                """)
    }

    @Test func nothingButFailuresIsCode2() async throws {
        let run = try await run(
            "-f", "-", world: world,
            script: .answering([result("b", .failed, message: "spec.url: no host")]))
        #expect(run.status == .invalid)
    }

    @Test(arguments: [
        (
            RPCError.Code.failedPrecondition, "prune guard: 40 of 100 objects; see --max-prune",
            CommandStatus.pruneGuard
        ),
        (.failedPrecondition, "set \"x\" is managed elsewhere", .conflict),
        (.aborted, "revision 7 is stale", .conflict),
        (.invalidArgument, "set: no name", .invalid),
        (.unavailable, "starting; try again in 2s", .unreachable),
        (.unauthenticated, "no token", .unreachable),
        (.permissionDenied, "not yours", .unreachable),
        (.resourceExhausted, "limit of 100000 objects", .unreachable),
        (.unimplemented, "Apply", .unreachable),
        (.internalError, "disk full", .unreachable),
    ])
    func aRefusedCallHasTheCodeOfItsStatus(
        _ code: RPCError.Code, _ message: String, _ status: CommandStatus
    ) async throws {
        var script = FakeOrchestrator.Script()
        script.apply = { _, _ in throw RPCError(code: code, message: message) }
        let run = try await run("-f", "-", world: world, script: script)
        #expect(run.status == status)
        #expect(run.output == "")
        #expect(run.error.hasPrefix("error: "))
        #expect(run.error.contains(message))
    }

    @Test func aServerThatIsNotThereIsCode3WithAddressAndFlag() async throws {
        let run = await world.run(["-f", "-", "--server", "127.0.0.1:1"])
        #expect(run.status == .unreachable)
        #expect(
            run.error == """
                error: cannot reach the server at 127.0.0.1:1: Connection refused. Is wsm-server \
                running there? The address comes from --server HOST:PORT or WSM_SERVER

                """)
    }

    @Test func aServerThatDoesNotAnswerIsGivenUp() async throws {
        let listener = try SilentListener()
        var world = world
        world.connectTimeout = .milliseconds(50)
        let run = await world.run(["-f", "-", "--server", "127.0.0.1:\(listener.port)"])
        #expect(run.status == .unreachable)
        #expect(run.error.contains("127.0.0.1:\(listener.port): it gave no answer in 50ms"))
    }

    @Test func anAnswerThatBreaksOffIsCode5OnceSomethingWasApplied() async throws {
        var script = FakeOrchestrator.Script()
        script.apply = { _, send in
            try await send(results([result("a", .created)]))
            throw RPCError(code: .internalError, message: "disk full")
        }
        let run = try await run("-f", "-", world: world, script: script)
        #expect(run.status == .partial)
        #expect(run.output.hasPrefix("connection/a created\n"))
        #expect(run.error.contains("disk full"))
        #expect(run.error.contains("the same command again completes it"))
    }

    @Test func anAnswerWithoutSummaryIsAnError() async throws {
        var script = FakeOrchestrator.Script()
        script.apply = { _, _ in }
        let run = try await run("-f", "-", world: world, script: script)
        #expect(run.status == .unreachable)
        #expect(run.error == "error: the server ended its answer before the summary\n")
    }

    @Test func ctrlCSaysWhatWasDoneAndIsCode130() async throws {
        var world = world
        let interruption = world.interruption
        world.outputIsTerminal = false
        var script = FakeOrchestrator.Script()
        script.apply = { _, send in
            try await send(results([result("a", .created)]))
            interruption.trigger()
            try await waitForCancellation()
        }
        let run = try await run("-f", "-", world: world, script: script)
        #expect(run.status == .interrupted)
        #expect(run.error.contains("interrupted: "))
        #expect(run.error.contains("each object is applied whole or not at all"))
    }

    @Test(arguments: [
        (["apply"], "nothing to apply: name files, directories or - with -f"),
        (["aply", "-f", "x"], "\"aply\" is no verb; there are apply, plan, diff"),
        (["-f", "-", "-f", "-"], "-f - can be given once only"),
        (["-f", "/no/such/file.yaml"], "/no/such/file.yaml: No such file or directory"),
        (["-f", "-", "--max-prune", "many", "--prune"], "it should be a number or a percentage"),
        (["-f", "-", "--max-prune", "101%", "--prune"], "it should be a number or a percentage"),
        (["-f", "-", "--allow-empty"], "--allow-empty and --max-prune go with --prune"),
        (["-f", "-", "--dry-run", "--wait"], "--wait has nothing to wait for with --dry-run"),
        (["-f", "-", "--timeout", "5"], "'5' is invalid for '--timeout <duration>'"),
        (["-f", "-", "--wait=Soon"], "--wait is \"Soon\": it should be Ready or FirstMessage"),
        (["-f", "-", "--server", "host:99999"], "'host:99999' is invalid for '--server"),
        (["-f", "-", "-o", "xml"], "'xml' is invalid for '-o <output>'"),
    ])
    func wrongUsageIsCode2(_ arguments: [String], _ message: String) async {
        let run = await world.run(arguments)
        #expect(run.status == .invalid)
        #expect(run.output == "")
        #expect(run.error.contains(message), "\(run.error)")
    }

    @Test func anAddressInTheEnvironmentThatIsNoneIsCode2() async {
        var world = world
        world.environment["WSM_SERVER"] = "a:b:c"
        let run = await world.run(["get"])
        #expect(run.status == .invalid)
        #expect(run.error == "error: WSM_SERVER is \"a:b:c\": it should be HOST:PORT\n")
    }

    @Test func anEmptyInputIsSentOnlyWhereItMayPrune() async throws {
        let directory = try TemporaryDirectory()
        let fake = FakeOrchestrator(.answering([]))
        let (bare, pruning) = try await fake.serve { world in
            (
                await world.run(["-f", directory.path]),
                await world.run(["-f", directory.path, "--prune"])
            )
        }
        #expect(bare.status == .invalid)
        #expect(bare.error.contains("no object in \(directory.path)"))
        #expect(pruning.status == .done)
        #expect(fake.requests(FakeOrchestrator.Applied.self).count == 1)
    }
}
