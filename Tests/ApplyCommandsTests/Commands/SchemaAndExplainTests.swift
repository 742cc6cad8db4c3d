import ApplyCommands
import Foundation
import Spec
import Testing

struct SchemaAndExplainTests {
    static let page = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/schema/v1.json")

    @Test func committedSchemaIsTheOnePrinted() async throws {
        let run = await World().run(["schema"])
        #expect(run.status == .done)
        if ProcessInfo.processInfo.environment["WSM_REWRITE"] == "1" {
            try Data(run.bytes).write(to: Self.page)
        }
        #expect(String(decoding: try Data(contentsOf: Self.page), as: UTF8.self) == run.output)
    }

    @Test func schemaOfOneKind() async throws {
        let run = await World().run(["schema", "connectionset"])
        let json = try JSONValue.parse(run.bytes)
        #expect(json["$ref"] == "#/$defs/ConnectionSet")
        #expect(json["$defs"]?["Connection"] == nil)
        let unknown = await World().run(["schema", "Host"])
        #expect(unknown.status == .invalid)
        #expect(
            unknown.error.contains("\"Host\" is no kind; there are Connection and ConnectionSet"))
    }

    @Test func explainsAField() async {
        let run = await World().run(["explain", "keepalive.pingInterval"])
        #expect(
            run.output == """
                Connection spec.keepalive.pingInterval

                  Time between pings.

                  type     duration: number and unit, from large to small: 30s, 1h30m, 1.5s, \
                500ms; at most 8760h
                  range    100ms-1h; 0s = no pings
                  default  20s
                  edit     keep: applied in place, at once; the socket is never touched

                  spec:
                    keepalive:
                      pingInterval: 30s

                """)
        #expect(run.status == .done)
    }

    @Test func explainsAGroupAndAllBelow() async {
        let group = await World().run(["explain", "spec.buffer"])
        #expect(group.output.contains("FIELD     TYPE    EDIT  WHAT IT IS\nmessages  int     keep"))
        let all = await World().run(["explain", "connectionset", "--recursive"])
        #expect(all.output.contains("\nspec.template.spec.tls.minVersion "))
        let kinds = await World().run(["explain"])
        #expect(kinds.output.hasPrefix("KIND           WHAT IT IS\nConnection     One outbound"))
        let names = await World().run(["explain", "keepalive", "-o", "name"])
        #expect(
            names.output
                == "spec.keepalive\nspec.keepalive.pingInterval\nspec.keepalive.pongTimeout\n")
    }

    @Test func explainsInJSON() async throws {
        let run = await World().run(["explain", "tls.key", "-o", "json"])
        let json = try JSONValue.parse(run.bytes)
        #expect(json["kind"] == "Explanation")
        #expect(json["object"] == "Connection")
        #expect(json["field"]?["path"] == "spec.tls.key")
        #expect(json["field"]?["edit"] == "reopen")
        #expect(json["field"]?["editMeaning"] == "reopen: needs a new socket")
        #expect(json["field"]?["example"] == ["valueFrom": ["file": "client.key"]])
    }

    @Test func anUnknownFieldIsExitCode2WithASuggestion() async {
        let run = await World().run(["explain", "keepalive.pinginterval"])
        #expect(run.status == .invalid)
        #expect(run.output == "")
        #expect(
            run.error
                == "error: \"keepalive.pinginterval\" is no field (did you mean "
                + "keepalive.pingInterval?); wsm-apply explain Connection --recursive shows all\n")
    }
}
