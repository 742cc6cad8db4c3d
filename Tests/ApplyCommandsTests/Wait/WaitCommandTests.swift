import ApplyCommands
import ManagerAPI
import Testing

struct WaitCommandTests {
    private let world = World(input: manifest("a") + "---\n" + manifest("b"))

    /// Live progress, and a wait that times out once it shows this.
    private func terminal(timingOutAfter text: String, width: Int = 200) -> World {
        var world = world
        world.errorIsTerminal = true
        world.width = width
        world.timeIsUpAfter = text
        return world
    }

    private static let applied = [result("a", .created), result("b", .configured, generation: 3)]

    /// Applies `applied`, then sends these changes and keeps the stream open.
    private static func script(
        _ responses: [Wsm_V1_WatchResponse], thenEnds: Bool = false
    ) -> FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script.answering(applied)
        script.watch = { _, send in
            for response in responses { try await send(response) }
            if !thenEnds { try await waitForCancellation() }
        }
        return script
    }

    private static let table = """
        connection/a created
        connection/b configured
        1 created, 1 configured, 0 unchanged, 0 pruned, 0 failed

        """

    @Test func endsWithCode0OnceAllAreReady() async throws {
        let fake = FakeOrchestrator(
            Self.script([
                watched(
                    change(.present, object("a", phase: "Connecting", ready: false)),
                    change(.present, object("b", generation: 3)), change(.synced)),
                watched(change(.changed, object("a"))),
            ]))
        let run = try await fake.serve(world) { await $0.run(["-f", "-", "--wait"]) }
        #expect(run.output == Self.table + "2 connections are Ready\n")
        #expect(run.status == .done)
        let request = try #require(fake.requests(Wsm_V1_WatchRequest.self).first)
        #expect(request.names == ["a", "b"])
        #expect(request.kind == "Connection")
    }

    @Test func asksByTheSetWhereNamesAreMany() async throws {
        let many = (1...201).map { result("c\($0)", .unchanged) }
        var script = FakeOrchestrator.Script.answering(many)
        script.watch = { _, send in
            var response = Wsm_V1_WatchResponse()
            response.changes = many.map { change(.present, object($0.name)) } + [change(.synced)]
            try await send(response)
            try await waitForCancellation()
        }
        let fake = FakeOrchestrator(script)
        let run = try await fake.serve(world) {
            await $0.run(["-f", "-", "--set", "prod", "--wait=ready"])
        }
        #expect(run.output.hasSuffix("201 connections are Ready\n"))
        let request = try #require(fake.requests(Wsm_V1_WatchRequest.self).first)
        #expect(request.names == [])
        #expect(request.set == "prod")
    }

    @Test func timesOutWithCode6AndSaysWhy() async throws {
        let run = try await run(
            "-f", "-", "--wait", "--timeout", "90s", "--color", "never",
            world: terminal(timingOutAfter: "0 of 2 (1 Connected, 1 Reconnecting)"),
            script: Self.script([
                watched(
                    change(
                        .present,
                        object("a", phase: "Reconnecting", ready: false) { object in
                            object.reason = "ConnectFailed"
                            object.message = "connection refused"
                            object.attempt = 4
                            object.nextAttemptAt = 1_000_003
                        }),
                    change(.present, object("b", generation: 2)), change(.synced))
            ]))
        #expect(run.status == .timedOut)
        #expect(run.output == Self.table)
        #expect(
            run.error.hasSuffix(
                """
                error: timed out after 1m30s: 2 of 2 connections not Ready
                  connection/a is Reconnecting: ConnectFailed: connection refused (attempt 4, next in 3s)
                  connection/b is still at generation 2 of 3

                """))
    }

    @Test func returnsEarlyWithCode8WhereNoTimeWouldHelp() async throws {
        let run = try await run(
            "-f", "-", "--wait=FirstMessage", "--timeout", "1h", world: world,
            script: Self.script([
                watched(
                    change(
                        .present,
                        object("a", phase: "Stalled", ready: false) { object in
                            object.stalled = true
                            object.attempt = 3
                            object.nextAttemptAt = 1_000_009
                            object.reason = "AttemptsExhausted"
                            object.message = "gave up after 3 attempts"
                            object.lastError = "401 Unauthorized"
                        }),
                    change(.present, object("b", generation: 3)), change(.synced))
            ]))
        #expect(run.status == .stalled)
        #expect(
            run.error.hasSuffix(
                """
                error: 1 of 2 connections failed for good; 0 at their first message
                  connection/a is Stalled: AttemptsExhausted: gave up after 3 attempts: 401 Unauthorized \
                (attempt 3)

                """))
    }

    @Test func jsonTellsTheWaitInTheOneDocument() async throws {
        let run = try await run(
            "-f", "-", "--wait", "-o", "json",
            world: terminal(timingOutAfter: "1 of 2 (1 Connecting)"),
            script: Self.script([
                watched(
                    change(.present, object("a")),
                    change(.present, object("b", phase: "Connecting", ready: false, generation: 3)),
                    change(.synced))
            ]))
        #expect(run.status == .timedOut)
        #expect(
            run.output.hasSuffix(
                """
                  "warnings": [],
                  "wait": {
                    "for": "Ready",
                    "outcome": "timedOut",
                    "reached": 1,
                    "total": 2,
                    "missing": [
                      {
                        "name": "b",
                        "failed": false,
                        "phase": "Connecting",
                        "attempt": 0
                      }
                    ]
                  }
                }

                """))
    }

    @Test func doesNotWaitWhereNotAllWasApplied() async throws {
        let script = FakeOrchestrator.Script.answering([
            result("a", .created), result("b", .failed, message: "no room"),
        ])
        let run = try await run("-f", "-", "--wait", world: world, script: script)
        #expect(run.status == .partial)
        #expect(run.error.hasSuffix("not waiting: not everything was applied\n"))
    }

    @Test func nothingAppliedIsNothingToWaitFor() async throws {
        let run = try await run("-f", "-", "--wait", world: world, script: .answering([]))
        #expect(run.output.hasSuffix("0 connections are Ready\n"))
        #expect(run.status == .done)
    }

    @Test func aServerThatEndsTheWatchIsCode3() async throws {
        let run = try await run(
            "-f", "-", "--wait", world: world,
            script: Self.script([watched(change(.synced))], thenEnds: true))
        #expect(run.status == .unreachable)
        #expect(run.error.contains("ended the watch: waiting for Ready: 0 of 2 (2 Pending)"))
    }

    @Test func ctrlCWhileWaitingSaysThatItWasApplied() async throws {
        let interruption = world.interruption
        var script = FakeOrchestrator.Script.answering(Self.applied)
        script.watch = { _, send in
            try await send(watched(change(.synced)))
            interruption.trigger()
            try await waitForCancellation()
        }
        let run = try await run("-f", "-", "--wait", world: world, script: script)
        #expect(run.status == .interrupted)
        #expect(run.output == Self.table)
        #expect(
            run.error.hasSuffix(
                "error: interrupted while waiting; what is said above was applied\n"))
    }

    @Test func progressIsInPlaceOnATerminalAndGoneInTheEnd() async throws {
        let script = Self.script([watched(change(.synced))])
        let live = try await run(
            "-f", "-", "--wait", world: terminal(timingOutAfter: "waiting", width: 20),
            script: script)
        #expect(live.error.contains("\r\u{1B}[Kwaiting for Ready:…"))
        #expect(live.error.contains("\r\u{1B}[K\u{1B}[31merror:\u{1B}[0m timed out after 1m"))
        var inPipe = world
        inPipe.timeIsUpAfter = "waiting"
        let plain = try await ApplyCommandsTests.run(
            "-f", "-", "--wait", world: inPipe, script: script)
        #expect(plain.error.hasPrefix("waiting for Ready: 0 of 2 (2 Pending)\nerror: timed out"))
        #expect(!plain.error.contains("\u{1B}"))
    }

    @Test func quietShowsNoProgress() async throws {
        var terminal = world
        terminal.errorIsTerminal = true
        let run = try await run(
            "-f", "-", "--wait", "-q", world: terminal,
            script: Self.script([
                watched(
                    change(.present, object("a")), change(.present, object("b", generation: 3)),
                    change(.synced))
            ]))
        #expect(run.error == "")
        #expect(run.status == .done)
    }
}
