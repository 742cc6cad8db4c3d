import ApplyCommands
import Foundation
import GRPCCore
import ManagerAPI
import Testing

struct DescribeCommandTests {
    private static let status = """
        {"phase":"Reconnecting","remoteAddress":"192.0.2.7:443","subprotocol":"mqtt",
         "lastError":{"class":"transient","code":"refused","message":"connection refused",
           "at":"1970-01-12T13:46:37Z"},
         "lastClose":{"code":1001,"reason":"going away","by":"peer","at":"1970-01-12T13:45:40Z"},
         "buffered":{"messages":4,"bytes":400},"dropped":{"noTopic":3,"overflow":2},
         "conditions":[
           {"type":"Ready","status":"False","reason":"ConnectFailed","message":"connection refused",
            "lastTransitionTime":"1970-01-12T13:45:40Z"},
           {"type":"Owned","status":"True","reason":"Owner"}]}
        """

    private static let down = object("eth", phase: "Reconnecting", ready: false) { object in
        object.url = "wss://eth.example.com/"
        object.topic = "trades.eth"
        object.set = "default"
        object.reason = "ConnectFailed"
        object.message = "connection refused"
        object.attempt = 4
        object.nextAttemptAt = 1_000_003
        object.received = 10
        object.published = 5
        object.dropped = 5
        object.generation = 3
        object.json = Data(
            (#"{"apiVersion":"wsm.virtufin.com/v1","kind":"Connection","metadata":{"name":"eth","#
                + #""labels":{"tier":"prod","venue":"x"}},"spec":{"topic":"trades.eth","#
                + #""url":"wss://eth.example.com/"},"status":\#(status)}"#).utf8)
    }

    private static var script: FakeOrchestrator.Script {
        var script = FakeOrchestrator.Script()
        script.get = { request in
            guard request.name == "eth" else { throw RPCError(code: .notFound, message: "no") }
            return down
        }
        return script
    }

    @Test func tellsStatusErrorsTimesCountersConditionsAndSpec() async throws {
        let run = try await run("describe", "eth", script: Self.script)
        #expect(
            run.output == """
                Name:           eth
                Kind:           Connection
                Apply set:      default
                Labels:         tier=prod, venue=x
                Generation:     3, observed 1
                URL:            wss://eth.example.com/
                Topic:          trades.eth
                Phase:          Reconnecting, not Ready
                Reason:         ConnectFailed: connection refused
                Remote:         192.0.2.7:443
                Subprotocol:    mqtt
                Next attempt:   in 3s, attempt 4
                Last error:     transient: refused: connection refused, 3s ago
                Last close:     1001 "going away" by peer, 1m ago
                Messages:       received 10, published 5, buffered 4, dropped 5 (noTopic=3, overflow=2)

                CONDITION  STATUS  REASON         SINCE   MESSAGE
                Ready      False   ConnectFailed  1m ago  connection refused
                Owned      True    Owner          -

                Spec:
                  topic: trades.eth
                  url: wss://eth.example.com/

                """)
        #expect(run.status == .done)
    }

    @Test(arguments: [
        ("Connection", #"{"spec":{"tls":{"insecureSkipVerify":true}}}"#),
        ("ConnectionSet", #"{"spec":{"template":{"spec":{"tls":{"insecureSkipVerify":true}}}}}"#),
    ])
    func aCertificateThatGoesUncheckedIsAWarning(_ kind: String, _ json: String) async throws {
        var script = FakeOrchestrator.Script()
        script.get = { _ in
            object("a", kind: kind, phase: "", ready: false) { $0.json = Data(json.utf8) }
        }
        let run = try await run("describe", "\(kind)/a", script: script)
        #expect(
            run.output.contains(
                "Warning:        tls.insecureSkipVerify: the server's certificate is not checked\n")
        )
    }

    @Test func aSetHasNoSocketToTellOf() async throws {
        var script = FakeOrchestrator.Script()
        script.get = { _ in
            object("book", kind: "ConnectionSet", phase: "", ready: false) { object in
                object.set = "default"
                object.message = "12 members"
                object.json = Data(#"{"spec":{"name":"book-{{n}}"}}"#.utf8)
            }
        }
        let run = try await run("describe", "connectionset/book", script: script)
        #expect(
            run.output == """
                Name:           book
                Kind:           ConnectionSet
                Apply set:      default
                Generation:     1, observed 1
                Status:         12 members

                Spec:
                  name: 'book-{{n}}'

                """)
    }

    @Test func aMissingObjectIsCode1() async throws {
        let run = try await run("describe", "nosuch", script: Self.script)
        #expect(run.output == "")
        #expect(run.error == "error: connection/nosuch is not there\n")
        #expect(run.status == .different)
    }

    @Test func nothingToDescribeIsCode2() async throws {
        let run = await World().run(["describe"])
        #expect(run.status == .invalid)
        #expect(run.error == "error: describe what? Give a NAME or TYPE/NAME\n")
    }
}
