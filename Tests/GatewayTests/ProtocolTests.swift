import GRPCCore
import HTTPTypes
import ManagerAPI
import SwiftProtobuf
import Testing

@testable import Gateway

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

struct GRPCWebTests {
    private func format(_ type: String) throws -> GRPCWeb.Format {
        try #require(GRPCWeb.Format(type))
    }

    @Test func aTimeToWaitIsAHeader() {
        func header(_ metadata: Metadata) -> String? {
            let error = RPCError(code: .unavailable, message: "x", metadata: metadata)
            return ErrorBody.answer(RPCFailure(error)).fields[.retryAfter]
        }
        #expect(header(["retry-after": "2"]) == "2")
        #expect(header(["retry-after": "soon"]) == nil)
        #expect(header([:]) == nil)
    }

    @Test(arguments: ["application/grpc-web", "application/grpc-web-text"])
    func framesComeBack(_ type: String) throws {
        let format = try format(type)
        let messages: [[UInt8]] = [[], [1, 2, 3], Array(repeating: 7, count: 70_000)]
        let body = messages.flatMap { GRPCWeb.frame($0, format) }
        #expect(try GRPCWeb.messages(body, format) == messages)
    }

    @Test(
        arguments: [
            [0], [0, 0, 0, 0], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0], [2, 0, 0, 0, 0],
            [0x80, 0, 0, 0, 0], [0, 255, 255, 255, 255, 1],
        ] as [[UInt8]])
    func whatIsNoFrameIsRefused(_ body: [UInt8]) throws {
        let format = try format("application/grpc-web+proto")
        #expect(throws: RPCFailure.self) { try GRPCWeb.messages(body, format) }
    }

    @Test func trailersTellTheCodeAndAnEscapedMessage() throws {
        let format = try format("application/grpc-web")
        let frame = GRPCWeb.trailers(RPCFailure(.notFound, "50% ä\n"), format)
        #expect(frame.first == 0x80)
        #expect(
            String(decoding: frame.dropFirst(5), as: UTF8.self)
                == "grpc-status:5\r\ngrpc-message:50%25 %C3%A4%0A\r\n")
        #expect(
            String(decoding: GRPCWeb.trailers(nil, format).dropFirst(5), as: UTF8.self)
                == "grpc-status:0\r\n")
    }

    @Test(arguments: ["application/json", "application/grpc", "application/grpc-web+json", ""])
    func otherTypesAreNotTaken(_ type: String) {
        #expect(GRPCWeb.Format(type) == nil)
    }
}

struct CallTimeoutTests {
    @Test func readsBothProtocolsUnits() {
        #expect(CallTimeout.grpc("1H") == .seconds(3_600))
        #expect(CallTimeout.grpc("2M") == .seconds(120))
        #expect(CallTimeout.grpc("3S") == .seconds(3))
        #expect(CallTimeout.grpc("99999999m") == .milliseconds(99_999_999))
        #expect(CallTimeout.grpc("5u") == .microseconds(5))
        #expect(CallTimeout.grpc("6n") == .nanoseconds(6))
        #expect(CallTimeout.connect("1500") == .milliseconds(1_500))
        #expect(CallTimeout.connect("9999999999") == .milliseconds(9_999_999_999))
    }

    @Test(arguments: ["", "S", "1", "1s", "-1S", "+1S", "123456789S", "1.5S", " 1S", "1 S", "٣S"])
    func refusesOtherTexts(_ text: String) {
        #expect(CallTimeout.grpc(text) == nil)
    }

    @Test(arguments: ["", "-1", "1.5", "12345678901", "1s", "٣"])
    func refusesOtherMilliseconds(_ text: String) {
        #expect(CallTimeout.connect(text) == nil)
    }
}

struct EventStreamWriterTests {
    private func writer(
        _ message: String, after mark: String? = nil
    ) throws -> EventStreamWriter {
        EventStreamWriter(
            decoder: MessageDecoder(schema: try .committed()), message: message,
            after: mark.flatMap { TopicMark($0) })
    }

    private func response(_ positions: [UInt64], missed: UInt64 = 0) throws -> [UInt8] {
        var response = Wsm_V1_SubscribeResponse()
        response.missed = missed
        response.messages = positions.map { position in
            Wsm_V1_TopicMessage.with {
                $0.position = position
                $0.epoch = 3
                $0.data = .init("x\ny".utf8)
            }
        }
        return try response.serializedBytes()
    }

    @Test func aMessageOfATopicIsOneEventWithItsPosition() throws {
        let bytes = try writer("wsm.v1.SubscribeResponse").bytes(of: response([7, 8]))
        let events = String(decoding: bytes, as: UTF8.self).split(separator: "\n\n")
        #expect(events.count == 2)
        #expect(events[0].hasPrefix("id: 3.7\ndata: {\"position\":\"7\","))
        #expect(events[1].hasPrefix("id: 3.8\ndata: {\"position\":\"8\","))
    }

    @Test func whatWasMissedIsToldFirst() throws {
        let bytes = try writer("wsm.v1.SubscribeResponse").bytes(of: response([9], missed: 3))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasPrefix("event: gap\ndata: {\"missed\":\"3\"}\n\nid: 3.9\n"))
    }

    @Test func positionsThatBeganAnewAreAGapOfUnknownLength() throws {
        let writer = try writer("wsm.v1.SubscribeResponse", after: "500")
        let first = String(decoding: try writer.bytes(of: response([1])), as: UTF8.self)
        #expect(first.hasPrefix("event: gap\ndata: {\"missed\":null}\n\nid: 3.1\n"))
        let second = String(decoding: try writer.bytes(of: response([2])), as: UTF8.self)
        #expect(second.hasPrefix("id: 3.2\n"))
    }

    @Test(arguments: ["2.500", "2.1", "2.0", "4.0"])
    func anIdOfAnotherLifeIsAGapWhereverThisOneStands(_ id: String) throws {
        let writer = try writer("wsm.v1.SubscribeResponse", after: id)
        let first = String(decoding: try writer.bytes(of: response([7])), as: UTF8.self)
        #expect(first.hasPrefix("event: gap\ndata: {\"missed\":null}\n\nid: 3.7\n"))
    }

    @Test(arguments: ["3.6", "3.2", "6"]) func anIdOfThisLifeGoesOn(_ id: String) throws {
        let writer = try writer("wsm.v1.SubscribeResponse", after: id)
        let first = String(decoding: try writer.bytes(of: response([7])), as: UTF8.self)
        #expect(first.hasPrefix("id: 3.7\n"))
    }

    private func response(
        _ messages: [(instance: String, life: UInt64, position: UInt64)]
    ) throws -> [UInt8] {
        var response = Wsm_V1_SubscribeResponse()
        response.messages = messages.map { place in
            Wsm_V1_TopicMessage.with {
                ($0.epoch, $0.position) = (3, place.position)
                ($0.instance, $0.life) = (place.instance, place.life)
            }
        }
        return try response.serializedBytes()
    }

    /// The fields of the events but for their data.
    private func ids(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            .filter { $0.hasPrefix("id: ") || $0 == "event: gap" }.map { String($0) }
    }

    @Test func inAClusterAnIdSaysHowFarTheReaderIsWithEachInstance() throws {
        let writer = try writer("wsm.v1.SubscribeResponse")
        let bytes = try writer.bytes(of: response([("a", 9, 1), ("b:1", 8, 5), ("a", 9, 2)]))
        #expect(
            ids(bytes) == ["id: 3.1;a:9:1", "id: 3.5;a:9:1;b%3A1:8:5", "id: 3.2;b%3A1:8:5;a:9:2"])
    }

    @Test func inAClusterAReaderGoesOnWithEachInstance() throws {
        let writer = try writer("wsm.v1.SubscribeResponse", after: "3.2;b:8:5;a:9:2")
        let bytes = try writer.bytes(
            of: response([("a", 9, 3), ("c", 1, 1), ("b", 7, 1), ("b", 7, 2)]))
        // a goes on, c was not heard of before, b lives anew.
        #expect(
            ids(bytes) == [
                "id: 3.3;b:8:5;a:9:3", "id: 3.1;b:8:5;a:9:3;c:1:1", "event: gap",
                "id: 3.1;a:9:3;c:1:1;b:7:1", "id: 3.2;a:9:3;c:1:1;b:7:2",
            ])
    }

    @Test func aMarkIsReadAsItIsWritten() throws {
        for text in ["3.7", "3.7;a:1:2", "0.1;a%2Fb:1:2;%C3%A4:3:4"] {
            #expect(TopicMark(text)?.description == text)
        }
        #expect(TopicMark("3.7;a%2Fb:1:2")?.instances.first?.name == "a/b")
        for text in [
            "", ";", "3.7;", "3.7;a", "3.7;a:1", "3.7;:1:2", "3.7;a:x:2", "3.7;a:1:2:3",
            "3.7;a%2:1:2",
            "3.7;%FF:1:2", "3.7;a:1:2;a:1:3",
        ] {
            #expect(TopicMark(text) == nil, "\(text)")
        }
        let many = (0...TopicMark.mostInstances).map { ";n\($0):1:1" }.joined()
        #expect(TopicMark("3.7" + many) == nil)
    }

    @Test func aCloudEventIsOneEventAsItIs() throws {
        var response = Wsm_V1_EventsResponse()
        response.cloudevents = [.init(#"{"id":"1"}"#.utf8), .init(#"{"id":"2"}"#.utf8)]
        response.missed = 1
        let bytes = try writer("wsm.v1.EventsResponse").bytes(of: response.serializedBytes())
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "event: gap\ndata: {\"missed\":\"1\"}\n\n"
                + "data: {\"id\":\"1\"}\n\ndata: {\"id\":\"2\"}\n\n")
    }

    @Test func aFailureIsTheLastEvent() throws {
        let end = try writer("wsm.v1.WatchResponse").end(.goingAway)
        let text = String(decoding: end, as: UTF8.self)
        #expect(text.hasPrefix("event: error\ndata: {\"code\":\"UNAVAILABLE\","))
        #expect(text.hasSuffix("\n\n"))
    }
}

struct StatusMappingTests {
    @Test(
        arguments: [
            (RPCError.Code.cancelled, "CANCELLED", 499), (.unknown, "UNKNOWN", 500),
            (.invalidArgument, "INVALID_ARGUMENT", 400),
            (.deadlineExceeded, "DEADLINE_EXCEEDED", 504),
            (.notFound, "NOT_FOUND", 404), (.alreadyExists, "ALREADY_EXISTS", 409),
            (.permissionDenied, "PERMISSION_DENIED", 403),
            (.resourceExhausted, "RESOURCE_EXHAUSTED", 429),
            (.failedPrecondition, "FAILED_PRECONDITION", 400), (.aborted, "ABORTED", 409),
            (.outOfRange, "OUT_OF_RANGE", 400), (.unimplemented, "UNIMPLEMENTED", 501),
            (.internalError, "INTERNAL", 500), (.unavailable, "UNAVAILABLE", 503),
            (.dataLoss, "DATA_LOSS", 500), (.unauthenticated, "UNAUTHENTICATED", 401),
        ] as [(RPCError.Code, String, Int)])
    func everyCodeHasItsNameAndStatus(_ code: RPCError.Code, _ name: String, _ status: Int) {
        #expect(code.wireName == name)
        #expect(code.httpStatus == status)
    }

    @Test func connectSpellsCancelledItsOwnWay() {
        let answer = ConnectRPC.answer(RPCFailure(.cancelled, "x"))
        guard case .bytes(let body) = answer.body else {
            Issue.record("no body")
            return
        }
        #expect(String(decoding: body, as: UTF8.self) == #"{"code":"canceled","message":"x"}"#)
        #expect(answer.status == 499)
    }
}
