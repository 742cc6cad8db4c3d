import ApplyCommands
import GRPCCore
import ManagerAPI
import Testing

struct SendCommandTests {
    private func run(
        _ arguments: String..., manager: FakeManager, world: World = World()
    ) async throws -> Run {
        try await FakeOrchestrator(.init()).serve(world, with: [manager]) {
            await $0.run(["send"] + arguments)
        }
    }

    @Test func printsTheBytesOfTheReply() async throws {
        let manager = FakeManager { _ in Array(#"{"id":1,"ok":true}"#.utf8) }
        let run = try await run("a", #"{"id":1}"#, "--timeout", "1500ms", manager: manager)
        #expect(run.output == #"{"id":1,"ok":true}"#)
        #expect(run.status == .done)
        let sent = try #require(manager.sent.first)
        #expect(sent.id == "a")
        #expect([UInt8](sent.message) == Array(#"{"id":1}"#.utf8))
        #expect(sent.timeoutMs == 1500)
        #expect(sent.contentType == "text/plain")
    }

    @Test func aTerminalGetsALineEnd() async throws {
        let manager = FakeManager { _ in Array("pong".utf8) }
        let run = try await run("a", "ping", manager: manager, world: World(outputIsTerminal: true))
        #expect(run.output == "pong\n")
    }

    @Test func theStandardInputIsSentAsItIs() async throws {
        let manager = FakeManager()
        var world = World()
        world.input = "a\nb\n"
        let run = try await run(
            "a", "-", "--raw", "--content-type", "application/json", manager: manager, world: world)
        #expect(run.output == "")
        #expect(run.error == "sent 4 bytes\n")
        #expect(run.status == .done)
        let raw = try #require(manager.raw.first)
        #expect([UInt8](raw.message) == Array("a\nb\n".utf8))
        #expect(raw.contentType == "application/json")
    }

    @Test(arguments: [
        (RPCError.Code.notFound, CommandStatus.different), (.failedPrecondition, .unreachable),
        (.deadlineExceeded, .timedOut), (.invalidArgument, .invalid),
        (.resourceExhausted, .unreachable), (.unavailable, .unreachable),
    ])
    func aRefusalHasItsCode(_ code: RPCError.Code, _ status: CommandStatus) async throws {
        let manager = FakeManager { _ in throw RPCError(code: code, message: "the reason") }
        let run = try await run("a", "x", manager: manager)
        #expect(run.status == status)
        #expect(run.output == "")
        #expect(run.error.contains("the reason"))
    }
}
