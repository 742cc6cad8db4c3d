import Foundation
import GRPCCore
import ManagerAPI
import Testing

@testable import ApplyCommands

/// `history` and `rollback`.
struct HistoryCommandTests {
    private func revision(
        _ number: Int64, by: String = "ann@host", _ summary: String, kept: Bool = true
    ) -> Wsm_V1_SetRevision {
        var revision = Wsm_V1_SetRevision()
        revision.number = number
        revision.digest = "0123456789abcdef0123456789abcdef"
        revision.by = by
        revision.at = 1_767_225_600
        revision.summary = summary
        revision.canRollBack = kept
        return revision
    }

    private var script: FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        let revisions = [
            revision(2, "rollback to 1: 0 created, 1 configured, 0 pruned"),
            revision(1, by: "", "1 created, 0 configured, 0 pruned", kept: false),
        ]
        script.history = { request in
            guard request.set == "prod" else {
                throw RPCError(code: .notFound, message: "set \(request.set) was never applied")
            }
            var response = Wsm_V1_GetHistoryResponse()
            guard request.revision != 0 else {
                response.revisions = revisions
                return response
            }
            guard request.revision == 2 else {
                throw RPCError(code: .failedPrecondition, message: "no longer kept")
            }
            let name = request.pageToken.isEmpty ? "a" : "b"
            let json =
                #"{"apiVersion":"wsm.virtufin.com/v1","kind":"Connection","#
                + #""metadata":{"name":"\#(name)"},"spec":{"url":"ws://h/"}}"#
            response.manifests = [Data(json.utf8)]
            response.nextPageToken = request.pageToken.isEmpty ? "1" : ""
            return response
        }
        script.rollback = { request, send in
            let list = [result("a", .configured, edits: [edit("topic", "x", "y")])]
            try await send(results(list))
            try await send(summary(list))
        }
        return script
    }

    @Test func historyTellsWhoWhenAndWhat() async throws {
        let run = try await run("history", "prod", script: script)
        #expect(
            run.output == """
                REVISION  WHEN                  BY        DIGEST        ROLLBACK  SUMMARY
                       2  2026-01-01T00:00:00Z  ann@host  0123456789ab  yes       rollback to 1: 0 \
                created, 1 configured, 0 pruned
                       1  2026-01-01T00:00:00Z  -         0123456789ab  no        1 created, 0 \
                configured, 0 pruned

                """)
        #expect(run.status == .done)
    }

    @Test func historyInTheOtherForms() async throws {
        let json = try await run("history", "prod", "-o", "json", script: script)
        #expect(json.output.contains("\"kind\": \"History\""))
        #expect(json.output.contains("\"canRollBack\": false"))
        let names = try await run("history", "prod", "-o", "name", script: script)
        #expect(names.output == "prod/2\nprod/1\n")
    }

    @Test func aRevisionIsShownAsManifestsThatCanBeApplied() async throws {
        let run = try await run("history", "prod", "--revision", "2", script: script)
        #expect(
            run.output == """
                apiVersion: wsm.virtufin.com/v1
                kind: Connection
                metadata:
                  name: a
                spec:
                  url: ws://h/
                ---
                apiVersion: wsm.virtufin.com/v1
                kind: Connection
                metadata:
                  name: b
                spec:
                  url: ws://h/

                """)
        let valid = await World(input: run.output).run(["validate", "-f", "-"])
        #expect(valid.status == .done)
    }

    @Test func whatIsNotThereIsCode1() async throws {
        let absent = try await run("history", "nope", script: script)
        #expect(absent.status == .different)
        #expect(absent.error == "error: set nope was never applied\n")
        let gone = try await run("history", "prod", "--revision", "1", script: script)
        #expect(gone.status == .different)
    }

    @Test func aRollbackIsReportedLikeAnApply() async throws {
        let fake = FakeOrchestrator(script)
        let run = try await fake.serve {
            await $0.run([
                "rollback", "prod", "--to", "1", "--if-revision", "2", "--max-prune", "50%",
                "--field-manager", "ci", "--force-conflicts",
            ])
        }
        #expect(
            run.output == """
                connection/a configured: topic
                0 created, 1 configured, 0 unchanged, 0 pruned, 0 failed

                """)
        let sent = try #require(fake.requests(Wsm_V1_RollbackRequest.self).first)
        #expect(sent.set == "prod" && sent.to == 1 && !sent.dryRun)
        #expect(sent.ifRevision == 2 && sent.maxPrune == "50%" && sent.appliedBy == "ada@lab")
        #expect(sent.fieldManager == "ci" && sent.forceConflicts)
    }

    @Test func aRollbackCanBeADryRunOrWait() async throws {
        let dry = try await run("rollback", "prod", "--to", "1", "--dry-run", script: script)
        #expect(dry.output.hasPrefix("connection/a configured: topic (dry run)\n"))
        var waiting = script
        waiting.watch = { _, send in
            try await send(watched(change(.present, object("a")), change(.synced)))
            try await waitForCancellation()
        }
        let waited = try await run("rollback", "prod", "--to", "1", "--wait", script: waiting)
        #expect(waited.output.hasSuffix("1 connection is Ready\n"))
        #expect(waited.status == .done)
    }

    @Test(arguments: [
        ["rollback"], ["rollback", "prod"], ["rollback", "prod", "--to", "0"],
        ["rollback", "No", "--to", "1"], ["history", "a b"], ["history", "x", "--revision", "0"],
        ["rollback", "prod", "--to", "1", "--max-prune", "x"],
        ["rollback", "prod", "--to", "1", "--dry-run", "--wait"],
    ])
    func wrongUsageIsCode2(_ arguments: [String]) async {
        #expect(await World().run(arguments).status == .invalid)
    }
}
