import Testing

@testable import WebSocket

struct HandshakeCheckTests {
    static let key = HandshakeKey(value: "dGhlIHNhbXBsZSBub25jZQ==")

    static func check(offered: [String] = [], required: Bool = false) -> HandshakeCheck {
        HandshakeCheck(key: self.key, subprotocols: offered, requireSubprotocol: required)
    }

    static func head(
        _ status: Int = 101,
        without name: String? = nil,
        _ more: [(String, String)] = []
    ) -> ResponseHead {
        let usual = [
            ("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade"),
            ("sec-websocket-accept", self.key.accept),
        ]
        let headers = (usual.filter { $0.0 != name } + more)
            .map { ResponseHead.Header(name: $0.0, value: $0.1) }
        return ResponseHead(status: status, reason: "Reason", headers: headers)
    }

    static func failure(_ check: HandshakeCheck, _ head: ResponseHead) -> HandshakeFailure? {
        do throws(HandshakeFailure) {
            _ = try check.accept(head)
            return nil
        } catch {
            return error
        }
    }

    @Test func acceptsAnAnswerWithoutSubprotocol() throws {
        #expect(try Self.check().accept(Self.head()).subprotocol == nil)
        #expect(try Self.check(offered: ["a"]).accept(Self.head()).subprotocol == nil)
    }

    @Test func takesTheSubprotocolThatWasOffered() throws {
        let head = Self.head(101, [("sec-websocket-protocol", "b")])
        #expect(
            try Self.check(offered: ["a", "b"], required: true).accept(head).subprotocol == "b")
    }

    @Test(arguments: ["upgrade", "connection", "sec-websocket-accept"])
    func refusesAnAnswerWithoutWhatItMustHave(_ name: String) {
        #expect(Self.failure(Self.check(), Self.head(without: name))?.code == .badHandshake)
    }

    @Test(arguments: [
        ("upgrade", "h2c"), ("connection", "close"), ("sec-websocket-accept", "AAAA"),
    ])
    func refusesAnAnswerWithWrongValues(_ header: (name: String, value: String)) {
        let head = Self.head(101, without: header.name, [header])
        #expect(Self.failure(Self.check(), head)?.code == .badHandshake)
    }

    @Test func refusesTwoAccepts() {
        let head = Self.head(101, [("sec-websocket-accept", Self.key.accept)])
        #expect(Self.failure(Self.check(), head)?.code == .badHandshake)
    }

    @Test func refusesAnExtension() {
        let head = Self.head(101, [("sec-websocket-extensions", "permessage-deflate")])
        #expect(Self.failure(Self.check(), head)?.code == .badHandshake)
    }

    @Test func refusesASubprotocolThatWasNotOffered() {
        let head = Self.head(101, [("sec-websocket-protocol", "c")])
        #expect(Self.failure(Self.check(offered: ["a"]), head)?.code == .subprotocol)
        #expect(Self.failure(Self.check(), head)?.code == .subprotocol)
        let otherCase = Self.head(101, [("sec-websocket-protocol", "A")])
        #expect(Self.failure(Self.check(offered: ["a"]), otherCase)?.code == .subprotocol)
        let two = Self.head(
            101, [("sec-websocket-protocol", "a"), ("sec-websocket-protocol", "b")])
        #expect(Self.failure(Self.check(offered: ["a", "b"]), two)?.code == .subprotocol)
    }

    @Test func refusesNoSubprotocolWhereOneIsRequired() {
        let check = Self.check(offered: ["a"], required: true)
        #expect(Self.failure(check, Self.head())?.code == .subprotocol)
    }

    @Test func tellsAnotherStatus() {
        let failure = Self.failure(
            Self.check(), Self.head(503, [("retry-after", "7")]))
        #expect(failure?.code == .httpStatus)
        #expect(failure?.httpStatus == 503)
        #expect(failure?.retryAfter == .seconds(7))
        #expect(failure?.message == "HTTP 503 Reason")
    }

    @Test func tellsWhereARedirectGoesWithoutTheQuery() {
        let failure = Self.failure(
            Self.check(), Self.head(302, [("location", "wss://b.test/x?token=secret")]))
        #expect(failure?.location == "wss://b.test/x?token=secret")
        #expect(failure?.message == "HTTP 302 Reason, redirects to wss://b.test/x")
        let user = Self.failure(
            Self.check(), Self.head(301, [("location", "wss://me:secret@b.test/")]))
        #expect(user?.message.contains("secret") == false)
    }

    @Test(
        arguments: [
            ("120", nil, Duration.seconds(120)), ("0", nil, .zero), ("", nil, nil),
            ("-1", nil, nil),
            ("99999999999", nil, nil), ("soon", nil, nil),
            ("Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:29 GMT", .seconds(30)),
            ("Thu, 29 Feb 2024 00:00:10 GMT", "Wed, 28 Feb 2024 23:59:50 GMT", .seconds(20)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", "Sat, 01 Jan 2000 00:00:00 GMT", .zero),
            ("Fri, 31 Dec 1999 23:59:59 GMT", nil, nil),
            ("Fri, 31 Foo 1999 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:29 GMT", nil),
        ] as [(String, String?, Duration?)])
    func readsHowLongToWait(_ example: (value: String, date: String?, wait: Duration?)) {
        var headers = [("retry-after", example.value)]
        if let date = example.date { headers.append(("date", date)) }
        #expect(RetryAfter.duration(in: Self.head(503, headers)) == example.wait)
    }

    @Test func countsSecondsAsUnixDoes() {
        #expect(RetryAfter.secondsSince1970("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(RetryAfter.secondsSince1970("Sun, 06 Nov 1994 08:49:37 GMT") == 784_111_777)
    }
}
