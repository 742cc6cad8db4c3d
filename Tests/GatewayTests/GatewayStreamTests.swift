import GRPCCore
import NIOCore
import Synchronization
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(2)))
struct GatewayStreamTests {
    private func withGateway(_ body: (LiveGateway) async throws -> Void) async throws {
        let live = try await LiveGateway.start()
        do {
            try await body(live)
        } catch {
            await live.stop()
            throw error
        }
        await live.stop()
    }

    private func fact(_ live: LiveGateway, _ wanted: String) async {
        for await fact in live.services.facts where fact == wanted { return }
    }

    @Test func aStreamIsLinesWithItsFailureLast() async throws {
        try await withGateway { live in
            let answer = try await live.request("GET /wsm/v1/topics/two/messages")
            #expect(answer.status == 200)
            #expect(answer.fields["content-type"] == "application/x-ndjson")
            let lines = answer.text.split(separator: "\n")
            #expect(lines.count == 3)
            #expect(lines[0].hasPrefix(#"{"messages":[{"position":"1","#))
            #expect(
                lines[2] == #"{"error":{"code":"UNAVAILABLE","message":"over","details":[]}}"#)
        }
    }

    @Test func aReaderOfEventsGoesOnWhereItWas() async throws {
        try await withGateway { live in
            let answer = try await live.request(
                "GET /wsm/v1/topics/two/messages",
                ["Accept": "text/event-stream", "Last-Event-ID": "41"])
            #expect(answer.fields["content-type"] == "text/event-stream")
            #expect(answer.text.contains(".42\n"))
            #expect(answer.text.contains(".43\n"))
            #expect(answer.text.hasSuffix("\n\n"))
            let wrong = try await live.request(
                "GET /wsm/v1/topics/two/messages",
                ["Accept": "text/event-stream", "Last-Event-ID": "x"])
            #expect(wrong.status == 400)
        }
    }

    @Test func aReaderOfAClusterGoesOnWithEachInstance() async throws {
        try await withGateway { live in
            let answer = try await live.request(
                "GET /wsm/v1/topics/marks/messages",
                ["Accept": "text/event-stream", "Last-Event-ID": "7.41;a:9:41;b%3A1:8:5"])
            #expect(answer.text.contains(#"true 41 [\"a 9 41\", \"b:1 8 5\"]"#), "\(answer.text)")
        }
    }

    @Test func aRefusalHasAStatusOfItsOwn() async throws {
        try await withGateway { live in
            let answer = try await live.request("GET /wsm/v1/topics/refused/messages")
            #expect(answer.status == 400)
            #expect(answer.text.contains("topic: no"))
            let apply = try await live.json(
                "POST /wsm/v1/apply", #"{"header":{"set":"refused"}}"#)
            #expect(apply.status == 409)
        }
    }

    @Test func anApplyTakesMessagesOrManifests() async throws {
        try await withGateway { live in
            let friendly = try await live.json(
                "POST /wsm/v1/apply",
                #"{"documents": [ {"kind" : 1}, {} ], "header": {"set": "s"}}"#)
            #expect(friendly.status == 200)
            #expect(friendly.text.contains(#""set":"s","created":2"#))
            #expect(friendly.text.contains(#"documents[0]={\"kind\" : 1}"#))
            let messages = try await live.json(
                "POST /wsm/v1/apply",
                #"[{"header":{"set":"m"}},{"chunk":{"documents":[{"json":"e30="}]}}]"#)
            #expect(messages.text.contains(#""set":"m","created":1"#))
            for (body, part) in [
                (#"{"chunk":{}}"#, "there are header, documents"),
                (#"{"documents":[1]}"#, "documents[0] must be a manifest"),
                (#"[{"header":{"sett":""}}]"#, "[0].header has no field"), ("1", "an array of"),
            ] {
                let answer = try await live.json("POST /wsm/v1/apply", body)
                #expect(answer.status == 400)
                #expect(answer.text.contains(part), "\(answer.text)")
            }
        }
    }

    /// The service must not fill the memory for a reader that does not read.
    @Test func aReaderThatDoesNotReadStopsTheService() async throws {
        try await withGateway { live in
            let connection = try await live.connect()
            try await connection.executeThenClose { _, outbound in
                try await outbound.write(
                    ByteBuffer(
                        string: "GET /wsm/v1/topics/flood/messages HTTP/1.1\r\n"
                            + "Host: localhost\r\n\r\n"))
                // Until nothing more is written for a while: the sockets are full.
                var before = -1
                var now = 0
                while now != before || now == 0 {
                    before = now
                    try await Task.sleep(for: .milliseconds(300))
                    now = live.services.written.withLock { $0 }
                }
                #expect(now < 2_000)
            }
            await fact(live, "subscribe cancelled")
        }
    }

    @Test func aReaderThatLeavesEndsTheCall() async throws {
        try await withGateway { live in
            let connection = try await live.connect()
            try await connection.executeThenClose { inbound, outbound in
                try await outbound.write(
                    ByteBuffer(
                        string: "GET /wsm/v1/topics/quiet/messages HTTP/1.1\r\n"
                            + "Host: localhost\r\nAccept: text/event-stream\r\n\r\n"))
                var iterator = inbound.makeAsyncIterator()
                #expect(try await iterator.next() != nil)
            }
            await fact(live, "subscribe cancelled")
        }
    }

    @Test func aCallerThatLeavesEndsAUnaryCall() async throws {
        try await withGateway { live in
            let connection = try await live.connect()
            try await connection.executeThenClose { _, outbound in
                try await outbound.write(
                    ByteBuffer(
                        string: "POST /v1/connect HTTP/1.1\r\nHost: localhost\r\n"
                            + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"))
                await fact(live, "connect began")
            }
            await fact(live, "connect cancelled")
        }
    }

    @Test(arguments: [("Grpc-Timeout", "50m"), ("Connect-Timeout-Ms", "50")])
    func aDeadlineEndsTheCall(_ name: String, _ value: String) async throws {
        try await withGateway { live in
            let answer = try await live.request(
                "POST /v1/connect", [name: value, "Content-Type": "application/json"],
                body: Array("{}".utf8))
            #expect(answer.status == 504)
            #expect(answer.text.contains("DEADLINE_EXCEEDED"))
            await fact(live, "connect cancelled")
        }
    }

    @Test func theEndOfTheServerIsTheLastWordOfAStream() async throws {
        let live = try await LiveGateway.start()
        async let answer = live.request(
            "GET /wsm/v1/topics/quiet/messages", ["Accept": "text/event-stream"])
        while live.calls.count == 0 { await Task.yield() }
        await live.stop()
        let text = try await answer.text
        #expect(text.contains("event: error\ndata: {\"code\":\"UNAVAILABLE\""))
    }

    @Test func aPortThatIsTakenIsSaid() async throws {
        try await withGateway { live in
            let invalid = await #expect(throws: GatewayConfiguration.Invalid.self) {
                _ = try await LiveGateway.start(configure: { $0.port = live.gateway.port })
            }
            #expect(invalid?.description.contains("--http-port") == true)
        }
    }
}
