import Spec
import TestKit
import Testing

@testable import ManagerCore

struct CloudEventBatchTests {
    private func event(
        _ sequence: UInt64, _ payload: [UInt8], kind: OutboundEvent.Kind = .text,
        uid: ConnectionUID = .sample("batch"), topic: String = "t"
    ) -> OutboundEvent {
        OutboundEvent(
            topic: topic, id: EventID(uid: uid, epoch: 3, sequence: sequence),
            type: OutboundEvent.messageType, source: "/connections/a\"b",
            time: WallTime(nanosecondsSinceEpoch: Int64(sequence)), payload: payload, kind: kind,
            attributes: [.init("websocketid", "a\"b"), .init("websocketurl", "ws://x/ü")])
    }

    private func text(_ text: String, _ sequence: UInt64) -> OutboundEvent {
        event(sequence, Array(text.utf8))
    }

    @Test func messagesStandInAnArrayAsTheyWouldAlone() throws {
        var batch = try #require(CloudEventBatch(text(#"{"n":1}"#, 7), maxBytes: 1 << 20))
        let isTaken1 = batch.append(text("plain", 8))
        #expect(isTaken1)
        let isTaken2 = batch.append(event(9, [0, 255], kind: .binary))
        #expect(isTaken2)
        let json = try JSONValue.parse(batch.json())
        #expect(json["id"] == .string("\(ConnectionUID.sample("batch")).3.7-9"))
        #expect(json["type"] == .string(CloudEventBatch.type))
        #expect(json["sequence"] == .string("7") && json["batchsize"] == .string("3"))
        #expect(json["source"] == .string("/connections/a\"b"))
        guard case .array(let data)? = json["data"] else {
            Issue.record("no array")
            return
        }
        #expect(data.map { $0["sequence"] } == ["7", "8", "9"].map { .string($0) })
        #expect(data[0]["data"]?["n"] == .number("1"))
        #expect(data[1]["data"] == .string("plain"))
        #expect(data[1]["datacontenttype"] == .string("text/plain"))
        #expect(data[2]["data_base64"] == .string("AP8="))
    }

    @Test func whatDoesNotBelongIsNotTaken() throws {
        var batch = try #require(CloudEventBatch(text("1", 1), maxBytes: 1 << 20))
        let isTaken3 = batch.append(event(2, [1], uid: .sample("other")))
        #expect(!isTaken3)
        let isTaken4 = batch.append(event(2, [1], topic: "u"))
        #expect(!isTaken4)
        #expect(batch.count == 1)
    }

    @Test func theWholeEventStaysBelowItsBound() throws {
        for maxBytes in [1_500, 4_000, 20_000] {
            var batch = try #require(CloudEventBatch(text("first", 1), maxBytes: maxBytes))
            var sequence: UInt64 = 2
            while batch.append(text(String(repeating: "\"", count: 100), sequence)) {
                sequence += 1
            }
            let bytes = batch.json().count
            #expect(bytes <= maxBytes && bytes > maxBytes - 1_300, "\(bytes) of \(maxBytes)")
        }
        // One message is an event, whatever its size.
        let large = try #require(
            CloudEventBatch(text(String(repeating: "x", count: 5_000), 1), maxBytes: 1_000))
        #expect(large.json().count > 5_000)
    }
}
