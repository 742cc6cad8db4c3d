import ManagerAPI
import Synchronization
import Testing

@testable import ApplyCommands

/// `wait`, the verb.
struct WaitVerbTests {
    /// A server that has these connections and then tells these changes.
    private func script(
        _ objects: [Wsm_V1_Object], then changes: [Wsm_V1_WatchChange] = []
    ) -> FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        script.list = { _ in
            var response = Wsm_V1_ListResponse()
            response.objects = objects
            return response
        }
        script.watch = { request, send in
            let present = objects.filter {
                request.names.isEmpty || request.names.contains($0.name)
            }
            var first = Wsm_V1_WatchResponse()
            first.changes = present.map { change(.present, $0) } + [change(.synced)]
            try await send(first)
            for change in changes { try await send(watched(change)) }
            try await waitForCancellation()
        }
        return script
    }

    @Test func namedConnectionsAreAwaited() async throws {
        let connecting = object("a", phase: "Connecting", ready: false)
        let fake = FakeOrchestrator(
            script([connecting, object("b")], then: [change(.changed, object("a"))]))
        let run = try await fake.serve { await $0.run(["wait", "a", "b"]) }
        #expect(run.output == "2 connections are Ready\n")
        #expect(run.status == .done)
        #expect(fake.requests(Wsm_V1_WatchRequest.self).first?.names == ["a", "b"])
    }

    @Test func aSelectorAndASetFindTheirConnections() async throws {
        let fake = FakeOrchestrator(script([object("a") { $0.firstMessage = true }]))
        let run = try await fake.serve {
            await $0.run(["wait", "--for=firstmessage", "-l", "x=y", "--set", "prod"])
        }
        #expect(run.output == "1 connection has its first message\n")
        let list = try #require(fake.requests(Wsm_V1_ListRequest.self).first)
        #expect(list.labelSelector == "x=y" && list.set == "prod" && list.brief)
        let none = try await ApplyCommandsTests.run("wait", "-l", "x=y", script: script([]))
        #expect(none.status == .different)
        #expect(none.error.contains("nothing to wait for"))
    }

    @Test func deletedIsReachedByWhatGoesAndWhatWasNeverThere() async throws {
        let run = try await run(
            "wait", "--for=deleted", "a", "ghost",
            script: script([object("a")], then: [change(.deleted, object("a"))]))
        #expect(run.output == "2 connections are deleted\n")
        #expect(run.status == .done)
        let nothing = try await ApplyCommandsTests.run(
            "wait", "--for=deleted", "--set", "gone", script: script([]))
        #expect(nothing.status == .done)
    }

    @Test func aConnectionSetStandsForItsMembers() async throws {
        let members = (1...3).map { number in
            object("m\(number)") { $0.connectionSet = number < 3 ? "book" : "other" }
        }
        let run = try await run("wait", "connectionset/book", script: script(members))
        #expect(run.output == "2 connections are Ready\n")
    }

    @Test func timeThatIsUpIsCode6AndNamesWhatIsLeft() async throws {
        var world = World(errorIsTerminal: true)
        world.timeIsUpAfter = "waiting for"
        let run = try await run(
            "wait", "--for=deleted", "a", "--timeout", "5s", "-o", "json", world: world,
            script: script([object("a")]))
        #expect(run.status == .timedOut)
        #expect(run.error.contains("connection/a is still there, Connected"))
        #expect(run.output.contains("\"outcome\": \"timedOut\""))
    }

    @Test func oneThatFailedForGoodIsCode8() async throws {
        let stalled = object("a", phase: "Stalled", ready: false) { $0.stalled = true }
        let run = try await run("wait", "a", script: script([stalled]))
        #expect(run.status == .stalled)
    }

    @Test(arguments: [
        ["wait"], ["wait", "a", "--set", "x"], ["wait", "--for=Never", "a"], ["wait", "A B"],
    ])
    func wrongUsageIsCode2(_ arguments: [String]) async throws {
        let run = try await FakeOrchestrator(script([])).serve { await $0.run(arguments) }
        #expect(run.status == .invalid)
        #expect(!run.error.isEmpty)
    }
}
