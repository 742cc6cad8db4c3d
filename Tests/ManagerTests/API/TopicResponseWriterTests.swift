import Foundation
import ManagerAPI
import ManagerCore
import Spec
import SwiftProtobuf
import TestKit
import Testing

@testable import Manager

/// The bytes written by hand beside what the generated type makes of the same events.
struct TopicResponseWriterTests {
    @Test(arguments: 0..<200) func theBytesAreThoseOfTheGeneratedType(_ seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let runs = (0..<Int.random(in: 0...6, using: &random)).map { _ in run(&random) }
        let missed =
            runs.isEmpty || Bool.random(using: &random)
            ? UInt64.random(in: 1 ... .max, using: &random) : 0
        let firsts: [UInt64] = [0, 1, 127, 128, 1 << 40, .max - 1_000]
        let delivery = TopicDelivery(
            firstPosition: firsts.randomElement(using: &random) ?? 1, runs: runs, missed: missed)
        var writer = TopicResponseWriter(delivery, responseBytes: 1 << 20)
        let bytes = writer.next()
        let more = writer.next()
        #expect(more == nil)
        #expect(bytes == (try expected(delivery).serializedBytes() as [UInt8]))
    }

    @Test func fullResponsesFollowEachOtherAndTheMissedAreToldOnce() throws {
        var random = SplitMix64(seed: 7)
        let delivery = TopicDelivery(
            firstPosition: 5, runs: (0..<20).map { _ in run(&random) }, missed: 3)
        var writer = TopicResponseWriter(delivery, responseBytes: 2_000)
        var whole = Wsm_V1_SubscribeResponse()
        var count = 0
        while let bytes = writer.next() {
            let response = try Wsm_V1_SubscribeResponse(serializedBytes: bytes)
            #expect(!response.messages.isEmpty)
            #expect(response.missed == (count == 0 ? 3 : 0))
            #expect(bytes.count < 2_000 + 16 || response.messages.count == 1)
            whole.messages += response.messages
            count += 1
        }
        #expect(count > 1)
        #expect(whole.messages == expected(delivery).messages)
    }

    @Test func whatWasMissedIsToldWithoutMessages() throws {
        var writer = TopicResponseWriter(
            TopicDelivery(firstPosition: 9, runs: [], missed: 8))
        let (first, second) = (writer.next(), writer.next())
        let bytes = try #require(first)
        #expect(try Wsm_V1_SubscribeResponse(serializedBytes: bytes) == .with { $0.missed = 8 })
        #expect(second == nil)
    }

    // MARK: Support

    private func expected(_ delivery: TopicDelivery) -> Wsm_V1_SubscribeResponse {
        .with { response in
            response.missed = delivery.missed
            response.messages = delivery.events.enumerated().map { index, event in
                message(event, position: delivery.firstPosition + UInt64(index))
            }
        }
    }

    private func message(_ event: OutboundEvent, position: UInt64) -> Wsm_V1_TopicMessage {
        .with { message in
            message.position = position
            message.id = event.id.description
            message.type = event.type
            message.source = event.source
            message.time = event.time.rfc3339
            for attribute in event.attributes {
                switch attribute.name {
                case "websocketid": message.connection = attribute.value
                case "websocketurl": message.url = attribute.value
                default: break
                }
            }
            message.epoch = event.id.epoch
            message.sequence = event.id.sequence
            message.contentType =
                CloudEventWriter.contentType(of: event) ?? "application/octet-stream"
            message.data = Data(event.payload)
        }
    }

    private func run(_ random: inout SplitMix64) -> EventRun {
        let texts = ["{\"a\":[1,2]}", "[1", " {} ", "plain", "", "3", "\"é\"", "{\"a\":\"ü😀\"}"]
        let payloads = (0..<Int.random(in: 1...20, using: &random)).map { _ -> [UInt8] in
            if Bool.random(using: &random) {
                return Array((texts.randomElement(using: &random) ?? "").utf8)
            }
            let count = [0, 1, 100, 127, 128, 300].randomElement(using: &random) ?? 0
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        var ends: [Int] = []
        for payload in payloads { ends.append((ends.last ?? 0) + payload.count) }
        let isText = payloads.allSatisfy { String(validating: $0, as: UTF8.self) != nil }
        let kinds: [OutboundEvent.Kind] = isText ? [.text, .binary, .json] : [.binary]
        let firsts: [UInt64] = [1, 9, 10, 99, 12_345, 1 << 62]
        let run = EventRun(
            origin: origin(&random), topic: "t",
            time: WallTime(
                nanosecondsSinceEpoch: .random(in: 0...(1 << 62), using: &random)),
            kind: kinds.randomElement(using: &random) ?? .binary,
            data: [.auto, .json, .string, .base64].randomElement(using: &random) ?? .auto,
            firstSequence: firsts.randomElement(using: &random) ?? 1,
            payload: payloads.flatMap { $0 }, ends: ends)
        let begin = Int.random(in: 0..<run.count, using: &random)
        return run.part(begin..<Int.random(in: (begin + 1)...run.count, using: &random))
    }

    private func origin(_ random: inout SplitMix64) -> EventOrigin {
        let uid = ConnectionUID.random(using: &random)
        let epochs: [UInt64] = [0, 1, 300, .max]
        let epoch = epochs.randomElement(using: &random) ?? 0
        if Bool.random(using: &random) {
            return EventOrigin(
                uid: uid, epoch: epoch, name: "naïve-\(epoch)",
                url: "wss://h/" + String(repeating: "u", count: 200))
        }
        return EventOrigin(
            uid: uid, epoch: epoch, type: "t", source: "", subject: "s",
            attributes: [.init("other", "x"), .init("websocketid", "a")], permit: nil)
    }
}
