import ApplyCommands
import Foundation
import GRPCCore
import ManagerAPI
import Testing

struct TailCommandTests {
    private static func message(
        _ position: UInt64, _ data: [UInt8], type: String = "text/plain"
    ) -> Wsm_V1_TopicMessage {
        var message = Wsm_V1_TopicMessage()
        message.position = position
        message.id = "u.1.\(position)"
        message.type = "com.virtufin.websocketmanager.message"
        message.source = "/connections/a"
        message.time = "2026-05-01T10:00:0\(position)Z"
        message.connection = "a"
        message.url = "ws://localhost/"
        message.epoch = 1
        message.sequence = position
        message.contentType = type
        message.data = Data(data)
        return message
    }

    /// Three messages, the second after a gap and binary; then the server ends.
    private static var script: FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        script.subscribe = { _, send in
            var response = Wsm_V1_SubscribeResponse()
            response.messages = [message(1, Array("one".utf8))]
            try await send(response)
            response.messages = [
                message(2, [0, 0xFF], type: "application/octet-stream"),
                message(3, Array(#"{"n":3}"#.utf8), type: "application/json"),
            ]
            response.missed = 12
            try await send(response)
        }
        return script
    }

    @Test func textIsOneLineAMessageAndGapsAreToldToPeople() async throws {
        let run = try await run("tail", "t", "--count", "3", script: Self.script)
        #expect(run.output == "one\nbase64:AP8=\n{\"n\":3}\n")
        #expect(run.error == "gap: 12 messages missed\n")
        #expect(run.status == .done)
    }

    @Test func timestampsStandBeforeTheMessage() async throws {
        let run = try await run("tail", "t", "--count", "1", "--timestamps", script: Self.script)
        #expect(run.output == "2026-05-01T10:00:01Z one\n")
    }

    @Test func rawIsTheBytesAndNothingElse() async throws {
        let run = try await run("tail", "t", "--count", "2", "--output", "raw", script: Self.script)
        #expect(run.bytes == Array("one".utf8) + [0, 0xFF])
    }

    @Test func jsonIsOneObjectALine() async throws {
        let run = try await run("tail", "t", "--count", "2", "-o", "json", script: Self.script)
        let common = #""time":"2026-05-01T10:00:0"#
        #expect(
            run.output
                == #"{"position":1,"id":"u.1.1","type":"com.virtufin.websocketmanager.message","#
                + #""source":"/connections/a",\#(common)1Z","connection":"a","url":"ws://localhost/","#
                + #""epoch":1,"sequence":1,"contentType":"text/plain","data":"one"}"# + "\n"
                + #"{"position":2,"id":"u.1.2","type":"com.virtufin.websocketmanager.message","#
                + #""source":"/connections/a",\#(common)2Z","connection":"a","url":"ws://localhost/","#
                + #""epoch":1,"sequence":2,"contentType":"application/octet-stream","dataBase64":"AP8="}"#
                + "\n")
    }

    @Test func aServerThatEndsTheTopicIsCode3() async throws {
        let run = try await run("tail", "t", script: Self.script)
        #expect(run.status == .unreachable)
        #expect(run.error.contains("ended the topic after 3 messages"))
        #expect(run.output.hasPrefix("one\n"))
    }

    @Test func beginsWhereItIsTold() async throws {
        let fake = FakeOrchestrator(Self.script)
        try await fake.serve { world in
            _ = await world.run(["tail", "t", "--count", "1"])
            _ = await world.run(["tail", "t", "--count", "1", "--from", "oldest"])
        }
        let requests = fake.requests(Wsm_V1_SubscribeRequest.self)
        #expect(requests.map(\.start) == [.newest, .oldest])
        #expect(requests.map(\.topic) == ["t", "t"])
    }

    @Test func ctrlCEndsItWithCode130() async throws {
        var world = World()
        let interruption = world.interruption
        world.onOutput = { _ in interruption.trigger() }
        var script = Self.script
        script.subscribe = { _, send in
            var response = Wsm_V1_SubscribeResponse()
            response.messages = [Self.message(1, [0x41])]
            try await send(response)
            try await waitForCancellation()
        }
        let run = try await run("tail", "t", world: world, script: script)
        #expect(run.output == "A\n")
        #expect(run.error == "interrupted after 1 message\n")
        #expect(run.status == .interrupted)
    }

    @Test func endsQuietlyOnceNobodyReads() async throws {
        var script = Self.script
        script.subscribe = { _, send in
            var response = Wsm_V1_SubscribeResponse()
            response.messages = [Self.message(1, [0x41])]
            try await send(response)
            try await waitForCancellation()
        }
        let run = try await run("tail", "t", world: World(outputLimit: 1), script: script)
        #expect(run.status == .done)
    }

    @Test func aTerminalGetsNoControlCharacters() async throws {
        var script = Self.script
        script.subscribe = { _, send in
            var response = Wsm_V1_SubscribeResponse()
            response.messages = [Self.message(1, Array("\u{1B}[2Jx".utf8))]
            try await send(response)
        }
        let onTerminal = try await run(
            "tail", "t", "--count", "1", world: World(outputIsTerminal: true), script: script)
        #expect(onTerminal.output == "\u{FFFD}[2Jx\n")
        let inPipe = try await run("tail", "t", "--count", "1", script: script)
        #expect(inPipe.output == "\u{1B}[2Jx\n")
    }

    @Test(arguments: [["tail", "a b"], ["tail", "t", "--count", "0"], ["tail"]])
    func wrongUsageIsCode2(_ arguments: [String]) async {
        #expect(await World().run(arguments).status == .invalid)
    }
}
