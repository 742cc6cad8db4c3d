import ArgumentParser
import Spec
import Testing

@testable import ApplyCommands

struct CompletionReaderTests {
    private func plan(_ words: String...) throws -> CompletionPlan {
        let program = try #require(CommandTree.ofProgram())
        let common = try #require(CommandTree.ofCommonOptions())
        return CompletionReader(program: program, commonOptions: common).plan(words)
    }

    private func texts(_ plan: CompletionPlan) -> [String] { plan.candidates.map(\.text) }

    @Test func knowsEveryVerbAndItsFlags() throws {
        let program = try #require(CommandTree.ofProgram())
        let shown = WSMApply.configuration.subcommands.filter { $0.configuration.shouldDisplay }
        let verbs = shown.map { $0.configuration.commandName ?? "" }
        #expect(program.subcommands.map(\.name).filter { $0 != "help" } == verbs)
        #expect(program.subcommand("get")?.option("-l")?.names == ["-l", "--selector"])
        #expect(try #require(CommandTree.ofCommonOptions()).option("--server") != nil)
    }

    @Test func withoutAVerbThereAreVerbsAndTheFlagsOfApply() throws {
        #expect(texts(try plan("")).contains("describe"))
        #expect(texts(try plan("--")).contains("--prune"))
        #expect(try plan("-f", "").wantsFiles)
        #expect(texts(try plan("help", "")).contains("tail"))
        #expect(CommandTree.read("no json") == nil)
    }

    @Test func flagsThatAreThereAreNotOfferedAgain() throws {
        let flags = texts(try plan("plan", "-f", "a.yaml", "--prune", "-"))
        #expect(flags.contains("--filename"), "it may be repeated")
        #expect(!flags.contains("--prune"))
        #expect(flags.contains("--max-prune"))
    }

    @Test func valuesOfOptionsAreOffered() throws {
        #expect(texts(try plan("get", "-o", "")) == OutputFormat.allCases.map(\.rawValue))
        let joined = try plan("get", "--output=j")
        #expect(joined.prefix == "--output=" && joined.current == "j")
        #expect(try plan("get", "--output", "=", "j") == joined, "as bash breaks it")
        #expect(try plan("get", "--output", "=") == plan("get", "--output="))
        #expect(texts(try plan("--wait", "")) == ["Ready", "FirstMessage"])
        #expect(texts(try plan("--wait", "-f", "a", "--time")).contains("--timeout"))
        #expect(texts(try plan("delete", "--kind", "")) == ["connection", "connectionset"])
    }

    @Test func namesAreAskedForWhereAnObjectStands() throws {
        let first = try plan("get", "")
        #expect(first.live == [.objects(.connection, prefix: "")])
        #expect(texts(first) == ["connections", "connectionsets"])
        let second = try plan("get", "connectionsets", "b")
        #expect(second.live == [.objects(.connectionSet, prefix: "")])
        #expect(second.candidates.isEmpty)
        #expect(
            try plan("describe", "connectionset/b").live
                == [.objects(.connectionSet, prefix: "connectionset/")])
        #expect(try plan("describe", "nothing/b").live == [])
        #expect(try plan("send", "").live == [.objects(.connection, prefix: "")])
        #expect(try plan("send", "a", "").live == [])
        #expect(try plan("tail", "").live == [.topics])
        #expect(try plan("tail", "a", "").live == [])
        #expect(try plan("plan", "--set", "").live == [.sets])
    }

    @Test func wordsThatNeedNoServer() throws {
        #expect(texts(try plan("schema", "")) == ["Connection", "ConnectionSet"])
        #expect(texts(try plan("explain", "")).contains("keepalive.pingInterval"))
        #expect(texts(try plan("completion", "")) == ["bash", "zsh", "fish"])
        #expect(try plan("explain", "").live == [])
    }

    @Test func commonFlagsAreKeptForTheQuestion() throws {
        #expect(
            try plan("--server", "h:1", "get", "-q", "-o", "json", "").common
                == ["--server", "h:1", "-q"])
        #expect(try plan("get", "--server=h:1", "").common == ["--server=h:1"])
    }

    @Test func noLineIsRefused() throws {
        for words in [
            [], ["--"], ["--", "-"], ["get", "--nothing", ""], ["x", "y", "--=z"], ["=", "="],
        ] {
            let program = try #require(CommandTree.ofProgram())
            let common = try #require(CommandTree.ofCommonOptions())
            _ = CompletionReader(program: program, commonOptions: common).plan(words)
        }
        #expect(texts(try plan("get", "--nothing", "", "")) == [])
    }
}
