import ApplyCommands
import Foundation
import GRPCCore
import ManagerAPI
import Spec
import Testing

struct GetCommandTests {
    private static let live = object("btc-trades") { object in
        object.url = "wss://stream.example.com:9443/ws/btcusdt@trade"
        object.topic = "trades.btc"
        object.received = 1200
        object.published = 1199
        object.dropped = 1
        object.connectedAt = 1_000_000 - 7500
        object.set = "default"
        object.firstMessage = true
        object.json = Data(
            (#"{"apiVersion":"wsm.virtufin.com/v1","kind":"Connection","metadata":{"name":"btc-trades","#
                + #""generation":1,"uid":"u-1"},"spec":{"topic":"trades.btc","#
                + #""url":"wss://stream.example.com:9443/ws/btcusdt@trade"},"status":{"phase":"Connected"}}"#)
                .utf8)
    }

    private static let down = object("eth", phase: "Reconnecting", ready: false) { object in
        object.url = "ws://localhost:1/"
        object.reason = "ConnectFailed"
        object.message = "connection refused"
        object.attempt = 4
        object.nextAttemptAt = 1_000_003
        object.connectionSet = "book"
        object.generation = 3
    }

    private static func listing(_ objects: [Wsm_V1_Object]) -> FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        script.list = { request in
            var response = Wsm_V1_ListResponse()
            response.objects = objects.filter { $0.kind == request.kind }
            return response
        }
        script.get = { request in
            let found = objects.first { $0.kind == request.kind && $0.name == request.name }
            guard let found else { throw RPCError(code: .notFound, message: "no \(request.name)") }
            return found
        }
        return script
    }

    @Test func theTableHasARowForEachConnection() async throws {
        let run = try await run("get", script: Self.listing([Self.live, Self.down]))
        #expect(
            run.output == """
                NAME        PHASE         READY  TOPIC       URL                                             \
                RECEIVED  PUBLISHED  DROPPED  AGE   REASON
                btc-trades  Connected     yes    trades.btc  wss://stream.example.com:9443/ws/btcusdt@trade  \
                    1200       1199        1  2h5m  -
                eth         Reconnecting  no     -           ws://localhost:1/                               \
                       0          0        0  -     ConnectFailed

                """)
        #expect(run.status == .done)
    }

    @Test func aNarrowTerminalCutsTheURLInside() async throws {
        let world = World(outputIsTerminal: true, width: 130)
        let run = try await run(
            "get", "--color", "never", world: world, script: Self.listing([Self.live, Self.down]))
        let lines = run.output.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 130 })
        #expect(lines[1].contains("wss://stream.example.c…cusdt@trade"))
    }

    @Test func aVeryNarrowTerminalGetsFewerColumns() async throws {
        let world = World(outputIsTerminal: true, width: 80)
        let run = try await run(
            "get", "--color", "never", world: world, script: Self.listing([Self.live, Self.down]))
        #expect(
            run.output == """
                NAME        PHASE         READY  TOPIC     RECEIVED  DROPPED  AGE   REASON
                btc-trades  Connected     yes    trades.…      1200        1  2h5m  -
                eth         Reconnecting  no     -                0        0  -     ConnectFail…

                """)
    }

    @Test func wideShowsTheRestOfWhatIsKnown() async throws {
        let run = try await run("get", "-o", "wide", script: Self.listing([Self.down]))
        #expect(
            run.output == """
                NAME  PHASE         READY  TOPIC  URL                RECEIVED  PUBLISHED  DROPPED  AGE  \
                REASON         SET  CONNECTIONSET  GENERATION  ATTEMPT  NEXT   MESSAGE
                eth   Reconnecting  no     -      ws://localhost:1/         0          0        0  -    \
                ConnectFailed  -    book           1/3               4  in 3s  connection refused

                """)
    }

    @Test func connectionSetsHaveATableOfTheirOwn() async throws {
        let set = object("book", kind: "ConnectionSet", ready: false, generation: 2) { object in
            object.set = "default"
            object.message = "98 of 100 ready"
        }
        let run = try await run("get", "connectionsets", script: Self.listing([set]))
        #expect(
            run.output == """
                NAME  SET      GENERATION  STATUS
                book  default  2/2         98 of 100 ready

                """)
    }

    @Test func asksForAllPagesWithSelectorAndSet() async throws {
        var script = FakeOrchestrator.Script()
        script.list = { request in
            let page = Int(request.pageToken) ?? 0
            var response = Wsm_V1_ListResponse()
            response.objects = [object("c\(page)")]
            response.nextPageToken = page < 2 ? String(page + 1) : ""
            return response
        }
        let fake = FakeOrchestrator(script)
        let run = try await fake.serve {
            await $0.run(["get", "connections", "-l", "a=b,c!=d", "--set", "prod", "-o", "name"])
        }
        #expect(run.output == "connection/c0\nconnection/c1\nconnection/c2\n")
        let requests = fake.requests(Wsm_V1_ListRequest.self)
        #expect(requests.map(\.pageToken) == ["", "1", "2"])
        #expect(
            requests.allSatisfy { $0.labelSelector == "a=b,c!=d" && $0.set == "prod" && $0.brief })
        #expect(requests.allSatisfy { $0.kind == "Connection" && $0.pageSize == 500 })
    }

    @Test func jsonIsOneListWithManifests() async throws {
        let run = try await run(
            "get", "connections", "-o", "json", script: Self.listing([Self.live]))
        #expect(
            run.output == """
                {
                  "apiVersion": "wsm.virtufin.com/v1",
                  "kind": "List",
                  "items": [
                    {
                      "kind": "Connection",
                      "name": "btc-trades",
                      "set": "default",
                      "phase": "Connected",
                      "ready": true,
                      "firstMessage": true,
                      "stalled": false,
                      "url": "wss://stream.example.com:9443/ws/btcusdt@trade",
                      "topic": "trades.btc",
                      "received": 1200,
                      "published": 1199,
                      "dropped": 1,
                      "generation": 1,
                      "observedGeneration": 1,
                      "connectedAt": "1970-01-12T11:41:40Z",
                      "attempt": 0,
                      "manifest": {
                        "apiVersion": "wsm.virtufin.com/v1",
                        "kind": "Connection",
                        "metadata": {
                          "name": "btc-trades",
                          "generation": 1,
                          "uid": "u-1"
                        },
                        "spec": {
                          "topic": "trades.btc",
                          "url": "wss://stream.example.com:9443/ws/btcusdt@trade"
                        },
                        "status": {
                          "phase": "Connected"
                        }
                      }
                    }
                  ]
                }

                """)
    }

    @Test func yamlCanBeAppliedAgainUnchanged() async throws {
        let run = try await run("get", "-o", "yaml", script: Self.listing([Self.live, Self.down]))
        #expect(run.output.hasPrefix("apiVersion: wsm.virtufin.com/v1\nkind: Connection\n"))
        #expect(run.error == "1 member of connection sets left out: their set declares them\n")
        let fake = FakeOrchestrator(.answering([]))
        let again = try await fake.serve(World(input: run.output)) {
            await $0.run(["-f", "-", "-q"])
        }
        #expect(again.status == .done)
        let sent = try #require(fake.requests(FakeOrchestrator.Applied.self).first)
        #expect(
            sent.documents.map { String(decoding: $0.json, as: UTF8.self) } == [
                #"{"apiVersion":"wsm.virtufin.com/v1","kind":"Connection","metadata":{"name":"btc-trades"},"#
                    + #""spec":{"topic":"trades.btc","#
                    + #""url":"wss://stream.example.com:9443/ws/btcusdt@trade"}}"#
            ])
    }

    @Test func aMissingNameIsCode1AndTheOthersAreShown() async throws {
        let run = try await run(
            "get", "connection/eth", "nosuch", "-o", "name", script: Self.listing([Self.down]))
        #expect(run.output == "connection/eth\n")
        #expect(run.error == "error: connection/nosuch is not there\n")
        #expect(run.status == .different)
    }

    @Test func nothingThereIsSaidToPeopleOnly() async throws {
        let table = try await run("get", script: Self.listing([]))
        #expect(table.output == "")
        #expect(table.error == "no connection found\n")
        #expect(table.status == .done)
        let json = try await run("get", "-o", "json", script: Self.listing([]))
        #expect(json.output.hasSuffix("\"items\": []\n}\n"))
    }

    @Test(arguments: [
        (["get", "Bad_Name"], "\"Bad_Name\" is no name: "),
        (["get", "pod/x"], "\"pod\" is no type; there are connection and connectionset"),
        (["get", "a/b/c"], "\"a/b/c\" is neither NAME nor TYPE/NAME"),
        (["get", "a", "-l", "x=y"], "names go neither with --selector nor with --set"),
    ])
    func wrongNamesAreCode2(_ arguments: [String], _ message: String) async {
        let run = await World().run(arguments)
        #expect(run.status == .invalid)
        #expect(run.error.contains(message))
    }

    @Test func remoteTextCannotSteerTheTerminal() async throws {
        var hostile = Self.down
        hostile.reason = "\u{1B}[2J\nX"
        let run = try await run("get", script: Self.listing([hostile]))
        #expect(!run.output.contains("\u{1B}"))
        #expect(run.output.split(separator: "\n").count == 2)
    }
}
