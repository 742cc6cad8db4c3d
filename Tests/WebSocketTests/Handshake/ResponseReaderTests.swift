import Testing

@testable import WebSocket

struct ResponseReaderTests {
    static func read(
        _ pieces: [[UInt8]]
    ) throws(HandshakeFailure) -> (head: ResponseHead, rest: [UInt8])? {
        var reader = ResponseReader()
        for (index, piece) in pieces.enumerated() {
            let result = piece.withUnsafeBytes { bytes in
                Result { () throws(HandshakeFailure) in try reader.read(bytes) }
            }
            let (consumed, head) = try result.get()
            if let head {
                return (head, Array(piece[consumed...]) + pieces[(index + 1)...].joined())
            }
        }
        return nil
    }

    @Test func leavesWhatFollowsTheHead() throws {
        let text = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nX:  a b \r\n\r\n"
        let bytes = Array(text.utf8) + [0x81, 0x01, 0x0A]
        for pieces in Decoding.splits(of: bytes) {
            let (head, rest) = try #require(try Self.read(pieces))
            #expect(head.status == 101)
            #expect(head.reason == "Switching")
            #expect(head.values(of: "upgrade") == ["websocket"])
            #expect(head.values(of: "x") == ["a b"])
            #expect(rest == [0x81, 0x01, 0x0A])
        }
    }

    @Test func linesMayEndWithALineFeed() throws {
        let (head, rest) = try #require(
            try Self.read([Array("HTTP/1.1 200 OK\nA: b\n\nrest".utf8)]))
        #expect(head.values(of: "a") == ["b"])
        #expect(rest == Array("rest".utf8))
    }

    @Test func passesOverInformationalAnswers() throws {
        let text = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 \r\n\r\n"
        let (head, _) = try #require(try Self.read(Array(text.utf8).map { [$0] }))
        #expect(head.status == 101)
        #expect(head.headers.isEmpty)
    }

    @Test(arguments: [
        "\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n", "SSH-2.0-OpenSSH_9\r\n\r\n",
        "HTTP/1.1 101 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 101 OK\r\nA : b\r\n\r\n", "HTTP/1.1 101 OK\r\nA: b\r\n folded\r\n\r\n",
        "HTTP/1.1 101 OK\r\n: b\r\n\r\n", "HTTP/1.1 101 OK\r\nA: b\rc\r\n\r\n",
        "HTTP/1.1 101 OK\r\nA: b\0c\r\n\r\n",
    ])
    func refusesWhatIsNoHead(_ text: String) {
        let failure = #expect(throws: HandshakeFailure.self) {
            try Self.read([Array(text.utf8)])
        }
        #expect(failure?.code == .badHandshake)
    }

    @Test func refusesAHeadThatDoesNotEnd() {
        let line = Array("HTTP/1.1 101 OK\r\nX: ".utf8)
        let filled = line + [UInt8](repeating: 0x61, count: WebSocketLimits.responseHead)
        #expect(throws: HandshakeFailure.self) { try Self.read([filled]) }
        let early = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        let many = Array(repeating: early, count: WebSocketLimits.responseHead / early.count + 1)
        #expect(throws: HandshakeFailure.self) { try Self.read(many) }
    }

    @Test func takesAHeadOfExactlyTheLimit() throws {
        let start = "HTTP/1.1 101 OK\r\nX: "
        let fill = WebSocketLimits.responseHead - start.utf8.count - 4
        let text = start + String(repeating: "a", count: fill) + "\r\n\r\n"
        #expect(try Self.read([Array(text.utf8)])?.rest == [])
    }
}
