import Foundation
import GRPCCore
import ManagerAPI
import Testing

@testable import ApplyCommands

/// Which server is meant, and what is said about it.
struct ConfigCommandTests {
    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("wsm-config-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try write(
            """
            currentContext: prod
            contexts:
              prod: {server: "wsm.example.com:5002", ca: ca.pem, tokenFile: /run/token}
              lab: {server: "127.0.0.1:7777"}

            """, to: "contexts.yaml")
    }

    private func write(_ text: String, to name: String) throws {
        try text.write(
            to: directory.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
    }

    private func world(_ environment: [String: String] = [:]) -> World {
        var world = World()
        world.environment = environment
        world.environment["WSM_CONFIG"] = directory.appendingPathComponent("contexts.yaml").path
        return world
    }

    @Test func eachValueIsShownWithItsOrigin() async throws {
        let run = await world(["WSM_SERVER": "h:1"]).run([
            "config", "view", "--show-origin", "--cert", "c.pem", "--key", "k.pem",
        ])
        let rows = run.output.split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(
            rows == [
                "SETTING VALUE ORIGIN",
                "context prod \(directory.path)/contexts.yaml",
                "server h:1 WSM_SERVER", "tls true context prod",
                "ca \(directory.path)/ca.pem context prod", "cert c.pem --cert",
                "key k.pem --key", "tokenFile /run/token context prod",
                "insecure false default",
            ])
        #expect(run.status == .done)
    }

    @Test func aFlagWinsOverAllOthers() async throws {
        let world = world(["WSM_SERVER": "h:1", "WSM_CONTEXT": "lab"])
        let byFlag = await world.run(["config", "view", "--server", "f:2", "-o", "json"])
        #expect(byFlag.output.contains("\"server\": \"f:2\""))
        #expect(byFlag.output.contains("\"context\": \"lab\""))
        let other = await world.run(["config", "view", "--context", "prod", "-o", "json"])
        #expect(other.output.contains("\"context\": \"prod\""))
    }

    @Test func anUnknownContextIsTold() async throws {
        let run = await world().run(["get", "--context", "prd"])
        #expect(run.status == .invalid)
        #expect(run.error == "error: --context is \"prd\": there are prod, lab\n")
    }

    @Test func contextsAreListedAndChosen() async throws {
        let list = await world().run(["config", "get-contexts"])
        #expect(list.output.contains("*        prod  wsm.example.com:5002  token"))
        #expect(list.output.contains("         lab   127.0.0.1:7777"))
        let use = await world().run(["config", "use-context", "lab"])
        #expect(use.output == "context lab is in use\n")
        #expect(try text("contexts.yaml").hasPrefix("currentContext: \"lab\"\ncontexts:\n"))
        #expect(
            await world().run(["config", "get-contexts", "-o", "name"]).output == "prod\nlab\n")
        let wrong = await world().run(["config", "use-context", "nil"])
        #expect(wrong.status == .invalid)
        #expect(wrong.error.contains("there are prod, lab"))
    }

    @Test func aTokenTravelsInPlainTextOnlyOnThisMachine() async throws {
        try write("0123456789abcdef\n", to: "token")
        let file = directory.appendingPathComponent("token").path
        let plain = World(environment: [:])
        let refused = await plain.run(["get", "--server", "192.0.2.1:1", "--token-file", file])
        #expect(refused.status == .invalid)
        #expect(
            refused.error == """
                error: the token (--token-file) would travel to 192.0.2.1:1 in plain text: use \
                --tls, or --ca FILE; or --insecure to send it all the same

                """)
        for arguments in [
            ["--server", "127.0.0.1:1"], ["--server", "[::1]:1"], ["--server", "localhost:1"],
        ] {
            let run = await plain.run(["get", "--token-file", file] + arguments)
            #expect(run.status == .unreachable)
        }
    }

    @Test func filesThatCannotBeUsedAreNamed() async throws {
        try write("two words\n", to: "token")
        let token = directory.appendingPathComponent("token").path
        let plain = World(environment: ["WSM_TOKEN_FILE": token])
        let words = await plain.run(["get"])
        #expect(words.status == .invalid)
        #expect(
            words.error
                == "error: \(token) (WSM_TOKEN_FILE) should hold our token and nothing else; it "
                + "holds 2 words\n")
        let missing = await World(environment: [:]).run(["get", "--ca", "/nowhere.pem"])
        #expect(missing.status == .invalid)
        #expect(
            missing.error
                == "error: /nowhere.pem (--ca) cannot be read: No such file or directory\n")
        let half = await World(environment: [:]).run(["get", "--cert", token])
        #expect(half.error == "error: --cert gives a certificate: its --key is missing\n")
        let noPEM = await World(environment: [:]).run(["get", "--ca", token])
        #expect(noPEM.error == "error: \(token) (--ca) holds no certificates in PEM\n")
    }

    @Test func deletingNamesTheContext() async throws {
        var script = FakeOrchestrator.Script()
        script.delete = { _ in
            var response = Wsm_V1_DeleteResponse()
            response.deleted = 1
            return response
        }
        let environment = world(["WSM_CONTEXT": "lab"]).environment
        let run = try await FakeOrchestrator(script).serve(World(environment: environment)) {
            await $0.run(["delete", "a"])
        }
        #expect(run.error.hasPrefix("context lab: 127.0.0.1:"))
        #expect(run.status == .done)
        let quiet = try await FakeOrchestrator(script).serve(World(environment: environment)) {
            await $0.run(["delete", "a", "-q"])
        }
        #expect(quiet.error == "")
    }

    @Test func aRefusalOfTheServerIsCode3() async throws {
        try write("0123456789abcdef\n", to: "token")
        let file = directory.appendingPathComponent("token").path
        var script = FakeOrchestrator.Script()
        script.list = { _ in throw RPCError(code: .permissionDenied, message: "x needs admin") }
        let run = try await FakeOrchestrator(script).serve(
            World(environment: ["WSM_TOKEN_FILE": file])
        ) { await $0.run(["get"]) }
        #expect(run.status == .unreachable)
        #expect(run.error.contains("does not let us in: x needs admin"))
    }

    @Test func credentialsOfAContextThatGoElsewhereAreToldOf() async throws {
        try write("0123456789abcdef\n", to: "token")
        try write(
            "currentContext: a\ncontexts:\n  a: {server: \"127.0.0.1:1\", tokenFile: token}\n",
            to: "contexts.yaml")
        let stray = await world().run(["get", "--server", "localhost:1"])
        #expect(
            stray.error.contains(
                "warning: the credentials of context a go to localhost:1 (--server)"))
        #expect(!(await world().run(["get"]).error.contains("warning")))
    }
}
