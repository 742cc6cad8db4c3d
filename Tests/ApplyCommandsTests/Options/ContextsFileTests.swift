import Testing

@testable import ApplyCommands

struct ContextsFileTests {
    private static let text = """
        # servers
        currentContext: prod   # the real one
        contexts:
          prod:
            server: wsm.example.com:5002
            ca: prod-ca.pem
            tokenFile: prod.token
          "7":
            server: 127.0.0.1
            tls: true

        """

    private func parse(_ text: String) throws -> ContextsFile {
        try ContextsFile.parse(Array(text.utf8), path: "c.yaml")
    }

    private func problem(_ text: String) -> String? {
        do {
            _ = try ContextsFile.parse(Array(text.utf8), path: "c.yaml")
            return nil
        } catch {
            return error.message
        }
    }

    @Test func readsContextsInTheirOrder() throws {
        let file = try parse(Self.text)
        #expect(file.current == "prod")
        #expect(file.contexts.map(\.name) == ["prod", "7"])
        #expect(file["prod"]?.values["tokenFile"] == "prod.token")
        #expect(file["prod"]?.usesTLS == nil)
        #expect(file["7"]?.usesTLS == true)
    }

    @Test(arguments: ["", "# nothing\n", "contexts: {}\n"])
    func anEmptyFileHasNone(text: String) throws {
        #expect(try parse(text).contexts == [])
    }

    @Test(arguments: [
        ("- a\n", "c.yaml:1:1: a map is wanted, not a list"),
        (
            "curentContext: a\n",
            "c.yaml:1:1: curentContext: unknown key; there are currentContext, contexts"
        ),
        (
            "contexts:\n  a:\n    token: x\n",
            "c.yaml:3:5: contexts.a.token: unknown key; there are server, ca, cert, key, tokenFile, "
                + "tls"
        ),
        (
            "contexts:\n  a:\n    server: h:0\n",
            "c.yaml:3:13: contexts.a.server: HOST:PORT is wanted"
        ),
        ("contexts:\n  a:\n    tls: 1\n", "c.yaml:3:10: contexts.a.tls: true or false is wanted"),
        ("contexts:\n  a: x\n", "c.yaml:2:6: contexts.a: a map is wanted, not a string"),
        ("currentContext: b\n", "c.yaml:1:17: currentContext: there is no context \"b\""),
        ("contexts: [\n", nil),
    ])
    func whatIsWrongIsToldByPlace(text: String, sentence: String?) {
        let problem = problem(text)
        #expect(problem != nil)
        if let sentence { #expect(problem == sentence) }
    }

    @Test func anotherContextIsOneLineOfTheFile() throws {
        let edited = try ContextsFile.using("7", in: Self.text, path: "c.yaml")
        #expect(
            edited
                == Self.text.replacing(
                    "currentContext: prod   # the real one",
                    with: "currentContext: \"7\" # the real one"))
        let first = "---\ncontexts:\n  a: {server: h}\n"
        #expect(
            try ContextsFile.using("a", in: first, path: "c.yaml")
                == "---\ncurrentContext: \"a\"\ncontexts:\n  a: {server: h}\n")
    }

    @Test func aFileInAnotherStyleIsLeftAlone() {
        for text in [
            "{currentContext: a, contexts: {a: {}, b: {}}}",
            "currentContext:\n  a\ncontexts: {a: {}, b: {}}",
        ] {
            #expect(throws: CommandFailure.self) {
                try ContextsFile.using("b", in: text, path: "c.yaml")
            }
        }
    }

    @Test func theFileIsFoundByTheEnvironment() {
        func path(_ environment: [String: String]) -> String? {
            ContextsFile.path(environment)?.path
        }
        #expect(path([:]) == nil)
        #expect(path(["HOME": "/h"]) == "/h/.config/wsm/contexts.yaml")
        #expect(path(["HOME": "/h", "XDG_CONFIG_HOME": "/x"]) == "/x/wsm/contexts.yaml")
        #expect(path(["HOME": "/h", "WSM_CONFIG": "/c.yaml"]) == "/c.yaml")
    }
}
