import ApplyCommands
import ManagerAPI
import Testing

struct CompletionRunTests {
    private static var script: FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        let connections = [
            object("btc") {
                $0.topic = "trades.btc"
                $0.set = "prod"
            },
            object("eth") { $0.topic = "trades.eth" },
        ]
        let book = object("book", kind: "ConnectionSet") { $0.set = "books" }
        script.list = { request in
            var response = Wsm_V1_ListResponse()
            let all = request.kind == "Connection" ? connections : [book]
            // Two pages.
            let first = request.pageToken.isEmpty
            response.objects = first ? Array(all.prefix(1)) : Array(all.dropFirst())
            response.nextPageToken = first ? "2" : ""
            return response
        }
        return script
    }

    private func complete(_ words: String...) async throws -> Run {
        try await FakeOrchestrator(Self.script).serve(World()) {
            await $0.run(["__complete"] + words)
        }
    }

    @Test func offersLiveNames() async throws {
        let named = try await complete("get", "b")
        #expect(named.output == "btc\n")
        let all = try await complete("send", "")
        #expect(all.output == "btc\neth\n")
        #expect(try await complete("describe", "connectionset/").output == "connectionset/book\n")
        #expect(
            try await complete("tail", "").output
                == "trades.btc\ntrades.eth\nwebsocketmanager.lifecycle\n")
        #expect(try await complete("plan", "--set=").output == "--set=books\n--set=prod\n")
    }

    @Test func offersWhatNeedsNoServerWithAWordAboutIt() async throws {
        let run = await World().run(["__complete", "des"])
        #expect(run.output == "describe\tShow an object with its status, for people.\n")
        #expect(await World().run(["__complete", "apply", "-f", ""]).output == ":files\n")
    }

    @Test func aServerThatCannotBeReachedIsSilence() async throws {
        for words in [
            ["send", ""], ["--server", "nonsense:x", "tail", ""], ["--color=x", "send", ""],
        ] {
            let run = await World().run(["__complete"] + words)
            #expect(run.output == "" && run.error == "")
            #expect(run.status == .done)
        }
    }

    @Test func aServerThatSaysNothingIsLeftAlone() async throws {
        let listener = try SilentListener()
        var world = World(environment: ["WSM_SERVER": "127.0.0.1:\(listener.port)"])
        world.connectTimeout = .milliseconds(50)
        let run = await world.run(["__complete", "send", ""])
        #expect(run.output == "" && run.error == "" && run.status == .done)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func everyShellHasAScriptThatAsks(_ shell: String) async throws {
        let run = await World().run(["completion", shell])
        #expect(run.status == .done)
        #expect(run.output.hasPrefix(shell == "zsh" ? "#compdef wsm-apply\n" : "# \(shell) "))
        #expect(run.output.contains(" __complete "))
        #expect(run.output.hasSuffix("\n"))
    }

    @Test func anUnknownShellIsWrongUsage() async throws {
        #expect(await World().run(["completion", "tcsh"]).status == .invalid)
    }
}
