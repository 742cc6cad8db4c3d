import Testing

@testable import WebSocket

struct HandshakeRequestTests {
    static func request(_ change: (inout WebSocketRequest) -> Void = { _ in }) -> WebSocketRequest {
        var request = WebSocketRequest(host: "feed.test", port: 9100, authority: "feed.test:9100")
        change(&request)
        return request
    }

    @Test func writesEveryLineOnce() {
        let request = Self.request {
            $0.requestTarget = "/a?b=c"
            $0.headers = [("Authorization", "Bearer x"), ("X-Twice", "1"), ("X-Twice", "2")]
            $0.subprotocols = ["mqtt", "v2"]
        }
        let head = HandshakeRequest.head(of: request, key: HandshakeKey(value: "KEY"))
        #expect(
            String(decoding: head, as: UTF8.self)
                == [
                    "GET /a?b=c HTTP/1.1", "Host: feed.test:9100", "Upgrade: websocket",
                    "Connection: Upgrade", "Sec-WebSocket-Key: KEY", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Protocol: mqtt, v2", "Authorization: Bearer x", "X-Twice: 1",
                    "X-Twice: 2", "", "",
                ].joined(separator: "\r\n"))
    }

    @Test func aPlainRequestHasNoProblem() {
        #expect(HandshakeRequest.problem(in: Self.request()) == nil)
        let request = Self.request { $0.headers = [("X", "täb\tand blank ")] }
        #expect(HandshakeRequest.problem(in: request) == nil)
    }

    static let problems: [WebSocketRequest] = [
        request { $0.host = "" },
        request { $0.host = "a b" },
        request { $0.authority = "feed.test\r\nX: y" },
        request { $0.port = 0 },
        request { $0.port = 65_536 },
        request { $0.requestTarget = "" },
        request { $0.requestTarget = "a" },
        request { $0.requestTarget = "/a b" },
        request { $0.requestTarget = "/a\r\nX: y" },
        request { $0.headers = [("", "x")] },
        request { $0.headers = [("a b", "x")] },
        request { $0.headers = [("a:", "x")] },
        request { $0.headers = [("X", "secret\r\nY: z")] },
        request { $0.headers = [("X", "secret\n")] },
        request { $0.headers = [("X", "secret\0")] },
        request { $0.headers = [("Host", "x")] },
        request { $0.headers = [("sec-websocket-key", "x")] },
        request { $0.headers = [("Content-Length", "5")] },
        request { $0.subprotocols = ["a b"] },
        request { $0.subprotocols = [""] },
    ]

    @Test(arguments: problems.indices)
    func whatWouldBreakTheHeadIsRefused(_ index: Int) throws {
        let problem = try #require(HandshakeRequest.problem(in: Self.problems[index]))
        #expect(!problem.contains("secret"))
    }
}
