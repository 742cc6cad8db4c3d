import NIOHTTP1
import Testing

@testable import Feed

struct FeedRequestTests {
    static func request(_ target: String, _ headers: HTTPHeaders = [:]) -> FeedRequest {
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: target, headers: headers)
        return FeedRequest(head, defaultRate: 3)
    }

    @Test func readsThePathAndTheQuery() {
        let request = Self.request("/a?b=c+d%21&e&f=%zz&g==")
        #expect(request.path == "/a")
        #expect(request.text("b") == "c d!")
        #expect(request.text("e") == "")
        #expect(request.text("f") == "%zz")
        #expect(request.text("g") == "=")
        #expect(request.text("h", default: "x") == "x")
        #expect(Self.request("?").path == "/")
        #expect(Self.request("").path == "/")
    }

    @Test(arguments: [
        ("5", 5), ("-5", 1), ("99", 10), ("x", 7), ("", 7), ("99999999999999999999", 7),
    ])
    func holdsNumbersWithinTheirRange(_ example: (text: String, number: Int)) {
        let request = Self.request("/?n=\(example.text)")
        #expect(request.number("n", default: 7, in: 1...10) == example.number)
    }

    @Test(arguments: [
        ("/?rate=5", 5), ("/?rate=0", 0.01), ("/?rate=-1", 0.01), ("/?rate=inf", 1000),
        ("/?rate=nan", 1), ("/?rate=x", 3), ("/", 3),
    ])
    func holdsRatesWithinTheirRange(_ example: (target: String, rate: Double)) {
        #expect(Self.request(example.target).rate == example.rate)
    }

    @Test func readsTheSubprotocolsInOrder() {
        let headers: HTTPHeaders = [
            "Sec-WebSocket-Protocol": "a, b,c", "sec-websocket-protocol": "d",
        ]
        #expect(Self.request("/", headers).subprotocols == ["a", "b", "c", "d"])
    }
}
