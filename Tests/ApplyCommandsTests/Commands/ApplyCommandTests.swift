import ApplyCommands
import GRPCCore
import ManagerAPI
import Testing

struct ApplyCommandTests {
    private let world = World(input: manifest("a"))

    @Test func printsTheWordsOfKubectlAndTheSummary() async throws {
        let run = try await run(
            "apply", "-f", "-", "--prune", "--adopt", world: world,
            script: .answering([
                result("a", .created),
                result("b", .configured, edits: [edit("topic", "x", "y")]),
                result(
                    "c", .configured,
                    edits: [
                        edit("url", "ws://x", "ws://y", effect: "reopen"), edit("topic", nil, "y"),
                    ],
                    cuts: true),
                result("d", .unchanged), result("e", .pruned), result("f", .adopted),
                result("g", .protected),
                result("book", .created, kind: "ConnectionSet"),
            ]))
        #expect(
            run.output == """
                connection/a created
                connection/b configured: topic
                connection/c configured: url, topic (reconnect)
                connection/d unchanged
                connection/e pruned
                connection/f adopted
                connection/g protected: its annotation wsm.virtufin.com/prune is disabled
                connectionset/book created
                2 created, 2 configured (1 reconnect), 1 unchanged, 1 adopted, 1 pruned, 1 protected, \
                0 failed

                """)
        #expect(run.error == "")
        #expect(run.status == .done)
    }

    @Test func isTheVerbWhereNoneIsNamed() async throws {
        let run = try await run(
            "-f", "-", world: world, script: .answering([result("a", .created)]))
        #expect(
            run.output
                == "connection/a created\n1 created, 0 configured, 0 unchanged, 0 pruned, 0 failed\n"
        )
        #expect(run.status == .done)
    }

    @Test(arguments: [
        ["--server", "h:1", "get"], ["--server", "h:1", "get", "-o", "json"],
        ["-o", "json", "get", "a", "-l", "x=y"],
    ])
    func aVerbBehindAnOptionIsToldWhereItBelongs(arguments: [String]) async {
        let run = await world.run(arguments)
        #expect(run.error == "error: the verb comes first: wsm-apply get OPTIONS\n")
        #expect(run.output == "" && run.status == .invalid)
    }

    @Test func whatIsWrongWithAnApplyIsStillTold() async {
        let run = await world.run(["-f", "get", "--bogus"])
        #expect(run.error.contains("--bogus") && run.status == .invalid)
    }

    @Test func sendsTheHeaderAndTheCanonicalDocuments() async throws {
        let fake = FakeOrchestrator(.answering([]))
        _ = try await fake.serve(world) {
            await $0.run([
                "-f", "-", "--set", "prod", "--prune", "--allow-empty", "--max-prune", "30%",
                "--adopt", "--dry-run",
            ])
        }
        let applied = try #require(fake.requests(FakeOrchestrator.Applied.self).first)
        #expect(applied.header.set == "prod")
        #expect(applied.header.dryRun)
        #expect(applied.header.prune)
        #expect(applied.header.allowEmpty)
        #expect(applied.header.maxPrune == "30%")
        #expect(applied.header.adopt)
        #expect(applied.header.appliedBy == "ada@lab")
        #expect(applied.documents.map(\.origin) == ["<stdin>:1:1"])
        #expect(
            applied.documents.map { String(decoding: $0.json, as: UTF8.self) } == [
                #"{"apiVersion":"wsm.virtufin.com/v1","kind":"Connection","metadata":{"name":"a"},"#
                    + #""spec":{"topic":"t","url":"ws://localhost:9/"}}"#
            ])
    }

    @Test func namesManyUnchangedObjectsByTheirCountOnly() async throws {
        let many = (1...11).map { result("c\($0)", .unchanged) }
        let run = try await run("-f", "-", world: world, script: .answering(many))
        #expect(run.output == "0 created, 0 configured, 11 unchanged, 0 pruned, 0 failed\n")
    }

    @Test func tellsManyAlikeMembersOfASetTogether() async throws {
        let members = (1...100).map { result("book-\($0)", .created, of: "book") }
        let odd = result(
            "book-x", .configured, of: "book", edits: [edit("url", "a", "b", effect: "reopen")],
            cuts: true)
        let run = try await run(
            "-f", "-", world: world,
            script: .answering([result("book", .created, kind: "ConnectionSet")] + members + [odd]))
        #expect(
            run.output == """
                connectionset/book created
                connectionset/book: 100 connections created
                connection/book-x configured: url (reconnect)
                101 created, 1 configured (1 reconnect), 0 unchanged, 0 pruned, 0 failed

                """)
    }

    @Test func aDryRunSaysSo() async throws {
        let run = try await run(
            "-f", "-", "--dry-run", world: world, script: .answering([result("a", .created)]))
        #expect(
            run.output == """
                connection/a created (dry run)
                1 created, 0 configured, 0 unchanged, 0 pruned, 0 failed (dry run)

                """)
        #expect(run.status == .done)
    }

    @Test func warningsOfTheServerGoToTheStandardErrorUnlessQuiet() async throws {
        let script = FakeOrchestrator.Script.answering(
            [result("a", .created)], warnings: ["tls.insecureSkipVerify is true in a"])
        let loud = try await run("-f", "-", world: world, script: script)
        #expect(loud.error == "warning: tls.insecureSkipVerify is true in a\n")
        let quiet = try await run("-f", "-", "-q", world: world, script: script)
        #expect(quiet.error == "")
        #expect(quiet.output == loud.output)
    }

    @Test func jsonIsOneDocumentOfAStableShape() async throws {
        let run = try await run(
            "-f", "-", "-o", "json", world: world,
            script: .answering([
                result(
                    "a", .configured, edits: [edit("topic", nil, "t")], generation: 3,
                    origin: "<stdin>:1:1")
            ]))
        #expect(
            run.output == """
                {
                  "apiVersion": "wsm.virtufin.com/v1",
                  "kind": "ApplyResult",
                  "set": "default",
                  "dryRun": false,
                  "revision": 7,
                  "baseRevision": 6,
                  "planDigest": "d1g357",
                  "results": [
                    {
                      "kind": "Connection",
                      "name": "a",
                      "action": "configured",
                      "cutsSocket": false,
                      "edits": [
                        {
                          "path": "topic",
                          "old": null,
                          "new": "t",
                          "effect": "keep"
                        }
                      ],
                      "generation": 3,
                      "origin": "<stdin>:1:1"
                    }
                  ],
                  "summary": {
                    "created": 0,
                    "configured": 1,
                    "unchanged": 0,
                    "adopted": 0,
                    "pruned": 0,
                    "protected": 0,
                    "conflicts": 0,
                    "failed": 0,
                    "cutSockets": 0
                  },
                  "warnings": []
                }

                """)
    }

    @Test func yamlIsTheSameDocument() async throws {
        let run = try await run(
            "-f", "-", "-o", "yaml", world: world, script: .answering([result("a", .created)]))
        #expect(run.output.hasPrefix("apiVersion: wsm.virtufin.com/v1\nkind: ApplyResult\n"))
        #expect(run.output.contains("\n    name: a\n    action: created\n"))
    }

    @Test func namesAreThoseThatWereApplied() async throws {
        let run = try await run(
            "-f", "-", "-o", "name", world: world,
            script: .answering([
                result("a", .created), result("s", .unchanged, kind: "ConnectionSet"),
                result("b", .conflict, message: "belongs to set prod"),
            ]))
        #expect(run.output == "connection/a\nconnectionset/s\n")
        #expect(run.status == .partial)
    }

    @Test func cutsALargeInputIntoMessagesBelowOneMebibyte() async throws {
        let padding = String(repeating: "x", count: 60_000)
        let directory = try TemporaryDirectory()
        for index in 0..<50 {
            try directory.write(
                "\(index).yaml",
                manifest("c\(index)").replacing(
                    "metadata:", with: "metadata:\n  annotations: {note: \(padding)}"))
        }
        let fake = FakeOrchestrator(.answering([]))
        let run = try await fake.serve { await $0.run(["-f", directory.path]) }
        #expect(run.status == .done)
        let applied = try #require(fake.requests(FakeOrchestrator.Applied.self).first)
        #expect(applied.documents.count == 50)
        #expect(applied.messages == 5)
        #expect(applied.largestMessage < 1 << 20)
        #expect(applied.largestMessage > 900_000)
    }
}
