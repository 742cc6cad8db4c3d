import ManagerAPI
import ManagerCore
import SwiftProtobuf
import TestKit
import Testing

@testable import Manager

/// Messages of the ownership protocol on the wire.
struct PeerMessageTests {
    static let identity = Identity(
        slot: 63, slotEpoch: .max, incarnation: Incarnation(high: .max, low: 1))
    static let title = Title(identity: identity, shardEpoch: 1_767_225_600)
    static let token = CallToken(origin: "wsm-1", number: .max)

    static let all: [PeerMessage] = [
        .ask(
            HandOverAsk(
                shard: 255, title: title, address: "[::1]:5002", isDrain: true,
                records: [
                    LiveRecord(name: "connset/book", uid: .max, revision: 3, content: [0, 255]),
                    LiveRecord(name: "a", uid: 0, revision: 0),
                ])),
        .answer(shard: 0, title: title, by: identity, isYes: true),
        .answer(shard: 1, title: title, by: identity, isYes: false),
        .shadowReady(shard: 2, title: title, by: identity),
        .digests(
            shard: 3, title: title, isFinal: true,
            [
                ConnectionDigests(
                    name: "a", uid: 7, lastSequence: 9, frames: Array(0..<256)),
                ConnectionDigests(name: "b", uid: 8, lastSequence: 0, frames: []),
            ]),
        .acknowledged(shard: 4, title: title, by: identity),
        .handOverEnded(shard: 5, title: title, isDone: false),
        .call(
            token, shard: 6, title: title,
            RecordChange(name: "a", kind: .create, revision: 1, uid: 4, content: [1]),
            replyTo: "127.0.0.1:1"),
        .call(
            token, shard: 6, title: title,
            RecordChange(
                name: "a", kind: .change, revision: 2, base: .init(uid: 0, revision: 1)),
            replyTo: "h:1"),
        .call(
            token, shard: 6, title: title, RecordChange(name: "a", kind: .delete, revision: 0),
            replyTo: "h:1"),
        .result(token, .done), .result(token, .refused), .result(token, .unavailable),
        .notOwner(token, known: nil), .notOwner(token, known: title),
    ]

    @Test(arguments: all) func everyMessageComesBackAsItWas(_ message: PeerMessage) throws {
        let bytes: [UInt8] = try Wsm_V1_PeerEnvelope(message).serializedBytes()
        #expect(try PeerMessage(Wsm_V1_PeerEnvelope(serializedBytes: bytes)) == message)
    }

    @Test func aTitleComesBackFromMetadata() {
        #expect(Title(metadataText: Self.title.metadataText) == Self.title)
        for text in ["", "1.2.3.4", "1.2.3.4.5.6", "-1.2.3.4.5", "1.2.3.4.x", "1..3.4.5"] {
            #expect(Title(metadataText: text) == nil, "\(text)")
        }
    }

    @Test func whatIsNoMessageIsAnErrorThatNamesTheField() throws {
        func problem(_ edit: (inout Wsm_V1_PeerEnvelope) -> Void) -> String {
            var envelope = Wsm_V1_PeerEnvelope()
            edit(&envelope)
            do throws(PeerMessageProblem) {
                _ = try PeerMessage(envelope)
                return "none"
            } catch {
                return error.description
            }
        }
        #expect(problem { _ in } == "message is missing or not known")
        #expect(problem { $0.answer.shard = 1 } == "title is missing or not known")
        #expect(
            problem {
                $0 = Wsm_V1_PeerEnvelope(Self.all[1])
                $0.answer.shard = .max
            } == "shard is 4294967295")
        #expect(
            problem {
                $0 = Wsm_V1_PeerEnvelope(Self.all[1])
                $0.answer.by.slot = 65_536
            } == "slot is 65536")
        #expect(problem { $0.result.result = .done }.hasPrefix("origin has 0 bytes"))
        #expect(
            problem {
                $0.result.token.origin = "x"
                $0.result.result = .UNRECOGNIZED(9)
            } == "result is missing or not known")
        #expect(
            problem {
                $0 = Wsm_V1_PeerEnvelope(Self.all[7])
                $0.call.change.kind = .unspecified
            } == "kind is missing or not known")
        #expect(
            problem {
                $0 = Wsm_V1_PeerEnvelope(Self.all[4])
                $0.digests.connections[0].frames = Array(repeating: 1, count: 257)
            }.hasPrefix("there are 257 digests"))
        #expect(
            problem {
                $0 = Wsm_V1_PeerEnvelope(Self.all[0])
                $0.ask.records[0].name = String(repeating: "x", count: 2_000)
            }.hasPrefix("name has 2000 bytes"))
    }

    @Test func randomBytesTrapNothing() {
        var random = SplitMix64(seed: 4)
        var read = 0
        for message in Self.all {
            guard let bytes: [UInt8] = try? Wsm_V1_PeerEnvelope(message).serializedBytes() else {
                continue
            }
            for _ in 0..<200 {
                var broken = bytes
                for _ in 0..<3 where !broken.isEmpty {
                    broken[Int(random.next() % UInt64(broken.count))] = UInt8(
                        truncatingIfNeeded: random.next())
                }
                guard let envelope = try? Wsm_V1_PeerEnvelope(serializedBytes: broken) else {
                    continue
                }
                read += 1
                _ = try? PeerMessage(envelope)
            }
        }
        #expect(read > 100)
    }
}

/// What waits for one peer.
struct PeerQueueTests {
    private func message(_ number: UInt64, bytes: Int = 0) -> PeerMessage {
        .call(
            CallToken(origin: "o", number: number), shard: 0, title: PeerMessageTests.title,
            RecordChange(
                name: "a", kind: .change, revision: 0, content: Array(repeating: 0, count: bytes)),
            replyTo: "h:1")
    }

    @Test func theOldestGoWhenTheQueueIsFull() {
        var queue = PeerQueue()
        for number in 0..<UInt64(PeerLimits.queuedMessages + 10) { queue.append(message(number)) }
        #expect(queue.count == PeerLimits.queuedMessages)
        #expect(queue.takeDropped() == 10)
        #expect(queue.takeDropped() == 0)
        #expect(queue.takeBatch().first == message(10))
    }

    @Test func bytesBoundTheQueueAndOneLargeMessageStillFits() {
        var queue = PeerQueue()
        for number in 0..<3 as Range<UInt64> {
            queue.append(message(number, bytes: PeerLimits.queuedBytes - 1_000))
        }
        #expect(queue.count == 1)
        #expect(queue.takeDropped() == 2)
    }

    @Test func aBatchIsBoundedAndKeepsTheOrder() {
        var queue = PeerQueue()
        for number in 0..<5 as Range<UInt64> {
            queue.append(message(number, bytes: PeerLimits.batchBytes / 2))
        }
        var seen: [PeerMessage] = []
        while true {
            let batch = queue.takeBatch()
            if batch.isEmpty { break }
            #expect(batch.count <= 2)
            seen += batch
        }
        let expected = (0..<5).map { message($0, bytes: PeerLimits.batchBytes / 2) }
        #expect(seen == expected)
    }
}
