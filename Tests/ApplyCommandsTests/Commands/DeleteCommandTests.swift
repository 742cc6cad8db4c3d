import ApplyCommands
import GRPCCore
import ManagerAPI
import Testing

struct DeleteCommandTests {
    private static var script: FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        script.delete = { request in
            switch request.name {
            case "missing": throw RPCError(code: .notFound, message: "no connection missing")
            case "foreign":
                throw RPCError(code: .failedPrecondition, message: "belongs to set \"prod\"")
            case "down": throw RPCError(code: .unavailable, message: "stopping")
            default: break
            }
            var response = Wsm_V1_DeleteResponse()
            response.deleted = request.kind == "ConnectionSet" ? 100 : 1
            return response
        }
        return script
    }

    @Test func confirmsWhatWent() async throws {
        let run = try await run("delete", "a", "connectionset/book", script: Self.script)
        #expect(
            run.output == "connection/a deleted\nconnectionset/book deleted (100 connections)\n")
        #expect(run.error == "")
        #expect(run.status == .done)
    }

    @Test func kindIsThatOfPlainNames() async throws {
        let run = try await run(
            "delete", "book", "--kind", "ConnectionSet", "-o", "name", script: Self.script)
        #expect(run.output == "connectionset/book\n")
    }

    @Test func filesNameTheObjectsToDelete() async throws {
        let fake = FakeOrchestrator(Self.script)
        let run = try await fake.serve(World(input: manifest("a") + "---\n" + manifest("b"))) {
            await $0.run(["delete", "-f", "-", "--set", "prod"])
        }
        #expect(run.output == "connection/a deleted\nconnection/b deleted\n")
        #expect(fake.requests(Wsm_V1_DeleteRequest.self).map(\.set) == ["prod", "prod"])
    }

    @Test func aMissingObjectIsCode1UnlessIgnored() async throws {
        let run = try await run("delete", "missing", "a", script: Self.script)
        #expect(run.output == "connection/a deleted\n")
        #expect(run.error == "error: connection/missing is not there\n")
        #expect(run.status == .different)
        let ignoring = try await ApplyCommandsTests.run(
            "delete", "missing", "--ignore-not-found", script: Self.script)
        #expect(ignoring.error == "")
        #expect(ignoring.status == .done)
    }

    @Test func aForeignObjectIsAConflictAndWithOthersPartly() async throws {
        let alone = try await run("delete", "foreign", script: Self.script)
        #expect(alone.error == "error: connection/foreign not deleted: belongs to set \"prod\"\n")
        #expect(alone.status == .conflict)
        let withOthers = try await run("delete", "a", "foreign", script: Self.script)
        #expect(withOthers.status == .partial)
    }

    @Test func aServerThatGoesIsCode3() async throws {
        let run = try await run("delete", "down", script: Self.script)
        #expect(run.status == .unreachable)
        #expect(run.error.contains("is not available: stopping"))
    }

    @Test func jsonTellsEachObject() async throws {
        let run = try await run("delete", "a", "missing", "-o", "json", script: Self.script)
        #expect(
            run.output == """
                {
                  "apiVersion": "wsm.virtufin.com/v1",
                  "kind": "DeleteResult",
                  "results": [
                    {
                      "kind": "Connection",
                      "name": "a",
                      "action": "deleted",
                      "connections": 1
                    },
                    {
                      "kind": "Connection",
                      "name": "missing",
                      "action": "missing",
                      "message": "connection/missing is not there"
                    }
                  ]
                }

                """)
    }

    @Test(arguments: [
        (["delete"], "nothing to delete: give names, or files with -f"),
        (["delete", "a", "-f", "-"], "give either names or files, not both"),
        (
            ["delete", "a", "--kind", "Pod"],
            "--kind is \"Pod\"; there are connection and connectionset"
        ),
    ])
    func wrongUsageIsCode2(_ arguments: [String], _ message: String) async {
        let run = await World(input: manifest("a")).run(arguments)
        #expect(run.status == .invalid)
        #expect(run.error == "error: \(message)\n")
    }
}
