import Foundation
import GRPCCore
import ManagerAPI
import Testing

@testable import ApplyCommands

/// `events` and `status`.
struct EventsAndStatusTests {
    private func event(_ type: String, _ name: String, _ data: String) -> Data {
        Data(
            (#"{"specversion":"1.0","type":"com.virtufin.websocketmanager.connection.\#(type)","#
                + #""time":"2026-01-02T03:04:05.000006Z","websocketid":"\#(name)","data":\#(data)}"#)
                .utf8)
    }

    private var held: [Data] {
        [
            event("connected", "a", #"{"reason":"connecting"}"#),
            event("error", "b", #"{"error_type":"dial","error_message":"no\nhost"}"#),
            event("reconnecting", "b", #"{"reason":"connected","attempt":3}"#),
            event("gap", "b", #"{"cause":"overflow","missed":"7"}"#),
        ]
    }

    /// Tells the held events and ends, unless it is to go on.
    private func script(missed: UInt64 = 0) -> FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        let held = held
        script.events = { request, send in
            var response = Wsm_V1_EventsResponse()
            response.missed = missed
            response.cloudevents = held
            try await send(response)
            if !request.onlyHeld { try await waitForCancellation() }
        }
        return script
    }

    @Test func heldEventsAreOneLineEach() async throws {
        let fake = FakeOrchestrator(script(missed: 2))
        let run = try await fake.serve { await $0.run(["events"]) }
        #expect(
            run.output == """
                2026-01-02T03:04:05Z  connected     a                         was connecting
                2026-01-02T03:04:05Z  error         b                         dial: no host
                2026-01-02T03:04:05Z  reconnecting  b                         attempt 3
                2026-01-02T03:04:05Z  gap           b                         overflow, 7 missed

                """)
        #expect(run.error == "gap: 2 events no longer held\n")
        #expect(run.status == .done)
        let sent = try #require(fake.requests(Wsm_V1_EventsRequest.self).first)
        #expect(sent.onlyHeld && sent.replay && sent.connection.isEmpty)
    }

    @Test func ndjsonIsTheEventsAsTheyAre() async throws {
        let run = try await run("events", "b", "-o", "ndjson", script: script())
        #expect(run.output == held.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined())
        let json = try await ApplyCommandsTests.run("events", "-o", "json", script: script())
        #expect(json.output.contains("\"kind\": \"EventList\""))
        #expect(json.output.contains("\"websocketid\": \"b\""))
    }

    @Test func watchGoesOnUntilItIsInterrupted() async throws {
        let interruption = Interruption()
        var world = World()
        world.interruption = interruption
        world.onOutput = { if $0.contains("overflow") { interruption.trigger() } }
        let fake = FakeOrchestrator(script())
        let run = try await fake.serve(world) {
            await $0.run(["events", "a", "--watch", "--replay"])
        }
        #expect(run.status == .interrupted)
        #expect(run.error == "interrupted after 4 events\n")
        let sent = try #require(fake.requests(Wsm_V1_EventsRequest.self).first)
        #expect(!sent.onlyHeld && sent.replay && sent.connection == "a")
    }

    @Test(arguments: [
        ["events", "--watch", "-o", "json"], ["events", "--replay"], ["events", "A"],
    ])
    func wrongUsageIsCode2(_ arguments: [String]) async {
        #expect(await World().run(arguments).status == .invalid)
    }

    // MARK: status

    private func status(ready: Bool, insecure: Bool = true) -> FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        script.status = {
            var status = Wsm_V1_ServerStatus()
            status.ready = ready
            var store = Wsm_V1_StatusCheck()
            store.name = "state-store"
            store.ok = ready
            store.reason = ready ? "Available" : "Unavailable"
            store.message = ready ? "" : "the disk is full"
            store.since = 999_940
            var network = Wsm_V1_StatusCheck()
            network.name = "insecure"
            network.ok = insecure
            network.advisory = true
            status.checks = [store, network]
            return status
        }
        return script
    }

    @Test func statusIsATableOfChecks() async throws {
        let run = try await run("status", script: status(ready: false))
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(lines[0].hasSuffix(" is not ready"))
        #expect(
            lines.dropFirst().joined(separator: "\n") == """
                CHECK        OK   NEEDED  SINCE  REASON       MESSAGE
                state-store  no   yes     1m     Unavailable  the disk is full
                insecure     yes  no      -      -            -
                """)
        #expect(run.status == .different)
    }

    @Test func statusIsCode0OnlyWhereEveryCheckPasses() async throws {
        #expect(try await run("status", script: status(ready: true)).status == .done)
        let warned = try await run(
            "status", "-o", "json", script: status(ready: true, insecure: false))
        #expect(warned.status == .different)
        #expect(warned.output.contains("\"ready\": true"))
        #expect(await World().run(["status"]).status == .unreachable)
    }
}
