import GRPCCore
import GRPCProtobuf
import NIOCore
import NIOHPACK
import Testing

@testable import Dapr

struct CallConnectionTests {
    @Test func aConnectionBeginsWithItsSettings() throws {
        var talk = try Talk(settings: nil)
        #expect(!talk.connection.hasRoom)
        try talk.note()
        #expect(talk.written.outline == ["settings 0 12"])
        talk.peer.settings()
        try talk.read()
        #expect(talk.written.outline == ["settings 0 0"])
        #expect(talk.written.frames.first?.flags == .acknowledges)
        #expect(talk.connection.hasRoom)
    }

    @Test func aCallIsHeaderFieldsAndAMessage() throws {
        var talk = try Talk(token: "t0k")
        let stream = try talk.call(1, within: .milliseconds(1_500))
        let frames = talk.written.frames
        #expect(talk.written.outline.map { $0.split(separator: " ")[0] } == ["headers", "data"])
        #expect(
            try talk.written.fields(frames[0]) == [
                ":method: POST", ":scheme: http", ":path: /dapr.proto.runtime.v1.Dapr/PublishEvent",
                ":authority: 127.0.0.1:50001", "te: trailers", "content-type: application/grpc",
                "user-agent: wsm", "dapr-api-token: t0k", "grpc-timeout: 1500m",
            ])
        #expect(Array(frames[1].payload.readableBytesView) == Array(repeating: 7, count: 10))
        #expect(frames[1].flags == .endStream)
        try talk.peer.answer(stream, [1, 2, 3])
        try talk.read()
        #expect(talk.message(1) == [1, 2, 3])
    }

    @Test func fieldsThatStayAreOneByteFromTheSecondCallOn() throws {
        var talk = try Talk(token: "t0k")
        var lengths: [Int] = []
        for method in [CallMethod.publish, .bulkPublish, .publish, .bulkPublishAlpha, .publish] {
            try talk.call(lengths.count, method)
            let frame = try #require(talk.written.frames.first)
            lengths.append(frame.payload.readableBytes)
            let fields = try talk.written.fields(frame)
            #expect(fields[2] == ":path: \(method.path)")
            #expect(fields[3...6].last == "user-agent: wsm" && fields[7] == "dapr-api-token: t0k")
        }
        // The token is spelled out each time, and so is the time that is left.
        #expect(lengths[2] == 2 + 5 + 20 + 20 && lengths[4] == lengths[2])
    }

    @Test func aPeerWithoutATableGetsEverythingSpelledOut() throws {
        var talk = try Talk(settings: [(1, 0)])
        talk.written.decoder.maxDynamicTableLength = 0
        for token in 0..<2 {
            try talk.call(token)
            let fields = try talk.written.fields(talk.written.frames[0])
            #expect(fields.count == 8 && fields[4] == "te: trailers")
        }
    }

    @Test func answersMayComeInAnyPieces() throws {
        var whole = PeerEnd()
        whole.settings()
        try whole.answer(1, Array(repeating: 9, count: 300))
        try whole.refusal(3, [("grpc-status", "13"), ("grpc-message", "so")])
        try whole.answer(5)
        let bytes = whole.take()
        for size in [1, 2, 3, 7, 64, 1_000] {
            var talk = try Talk()
            for token in 0..<3 { try talk.call(token) }
            var rest = bytes
            while rest.readableBytes > 0 {
                let slice = rest.readSlice(length: min(size, rest.readableBytes))
                let part = try #require(slice)
                talk.connection.receive(part, now: talk.now)
            }
            try talk.note()
            #expect(talk.message(0)?.count == 300)
            #expect(talk.answers[1] == .failure(.init(code: "internalError", message: "so")))
            #expect(talk.message(2) == [])
        }
    }

    @Test func aRefusalIsReadWithItsWordsAndDetails() throws {
        var talk = try Talk()
        let stream = try talk.call(1)
        try talk.peer.refusal(
            stream,
            [
                ("grpc-status", "3"), ("grpc-message", "100%25 \u{25}C3\u{25}A4 %zz %"),
                ("grpc-status-details-bin", "CAMSAnNv"),
            ])
        talk.connection.receive(talk.peer.take(), now: talk.now)
        let answers = talk.connection.takeAnswers()
        guard case .failure(let error) = try #require(answers.first).answer else {
            Issue.record("it succeeded")
            return
        }
        #expect(error.code == .invalidArgument)
        #expect(error.message == "100% ä %zz %")
        #expect(try error.unpackGoogleRPCStatus()?.message == "so")
    }

    @Test(arguments: [
        ([(":status", "503")], "unavailable"),
        ([(":status", "404")], "unimplemented"),
        ([(":status", "401")], "unauthenticated"),
        ([(":status", "200"), ("content-type", "text/html")], "unknown"),
        (PeerEnd.head + [("grpc-status", "99")], "unknown"),
        (PeerEnd.head, "unknown"),
    ])
    func whatIsNoAnswerOfGRPCHasACode(fields: [(String, String)], code: String) throws {
        for isLast in [true, false] where isLast || fields.count < 2 {
            var talk = try Talk()
            let stream = try talk.call(1)
            try talk.peer.headers(stream, fields, isLast: isLast)
            try talk.read()
            #expect(talk.code(1) == code)
        }
    }

    @Test(
        arguments: [
            ([1, 0, 0, 0, 0], "internalError"),
            ([0, 0, 0, 0, 2, 1], "internalError"),
            ([0, 0, 0, 0, 1, 1, 1], "internalError"),
            ([0, 0xFF, 0, 0, 0], "resourceExhausted"),
            ([], "internalError"),
        ] as [([UInt8], String)])
    func aMessageThatIsNoneFailsItsCallAlone(bytes: [UInt8], code: String) throws {
        var talk = try Talk()
        let (bad, good) = (try talk.call(1), try talk.call(2))
        try talk.peer.headers(bad, PeerEnd.head)
        talk.peer.data(bad, bytes)
        try talk.peer.headers(bad, PeerEnd.ok, isLast: true)
        try talk.peer.answer(good, [5])
        try talk.read()
        #expect(talk.code(1) == code)
        #expect(talk.message(2) == [5])
    }

    @Test func headerFieldsMayComeInSeveralFramesAndAfterOthers() throws {
        var talk = try Talk()
        let stream = try talk.call(1)
        try talk.peer.headers(stream, [(":status", "103")])
        let block = try talk.peer.block(PeerEnd.head + [("x", String(repeating: "y", count: 40))])
        // Padding of three bytes, priority.
        talk.peer.frame(
            1, [.padded, .priority], stream: stream,
            [3, 0, 0, 0, 0, 9] + Array(block[..<5]) + [0, 0, 0])
        talk.peer.frame(9, stream: stream, Array(block[5..<9]))
        talk.peer.frame(9, .endHeaders, stream: stream, Array(block[9...]))
        talk.peer.frame(0, .padded, stream: stream, [2, 0, 0, 0, 0, 1, 8, 0, 0])
        talk.peer.frame(0xFA, stream: stream, [1])
        try talk.peer.headers(stream, PeerEnd.ok, isLast: true)
        try talk.read()
        #expect(talk.message(1) == [8])
    }

    @Test func noMoreCallsAreUnderWayThanThePeerTakes() throws {
        var talk = try Talk(settings: [(3, 2)])
        let first = try talk.call(1)
        #expect(talk.connection.hasRoom)
        try talk.call(2)
        #expect(!talk.connection.hasRoom)
        try talk.peer.answer(first)
        try talk.read()
        #expect(talk.connection.hasRoom)
    }
}
