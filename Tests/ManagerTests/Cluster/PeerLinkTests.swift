import GRPCCore
import ManagerAPI
import ManagerCore
import SwiftProtobuf
import TestKit
import Testing

@testable import Manager

/// Messages between instances over the network.
@Suite(.serialized, .timeLimit(.minutes(2))) struct PeerLinkTests {
    private func message(_ number: UInt64) -> PeerMessage {
        .result(CallToken(origin: "o", number: number), .done)
    }

    @Test func messagesArriveInTheirOrder() async throws {
        try await ClusterRig.run("a", "b") { rig in
            let link = try rig.node("a").peers.link
            let address = try #require(rig.ownership.now.addresses["b"])
            for number in 0..<UInt64(1_000) { link.send([message(number)], to: address) }
            let expected = (0..<UInt64(1_000)).map(message)
            // A batch may be lost where the machine is too busy to answer in time; none is repeated,
            // none overtakes another.
            #expect(await eventually { link.counts.delivered + link.counts.lost == 1_000 })
            let places = rig.messages(at: "b").compactMap { expected.firstIndex(of: $0) }
            #expect(places.count == rig.messages(at: "b").count && !places.isEmpty)
            #expect(places == places.sorted() && Set(places).count == places.count)
            #expect(places.count >= Int(link.counts.delivered))
        }
    }

    @Test func oneMessageMayBeLargerThanOneOfGRPC() async throws {
        try await ClusterRig.run("a", "b") { rig in
            let records = (0..<5).map {
                LiveRecord(
                    name: "n\($0)", uid: UInt64($0), revision: 1,
                    content: Array(repeating: 7, count: 1 << 20))
            }
            let ask = PeerMessage.ask(
                HandOverAsk(
                    shard: 1, title: PeerMessageTests.title, address: "h:1", isDrain: false,
                    records: records))
            let address = try #require(rig.ownership.now.addresses["b"])
            // Asked again where the machine is too busy to answer in time, as the protocol does.
            for _ in 0..<5 where !rig.messages(at: "b").contains(ask) {
                try rig.node("a").peers.link.send([ask], to: address)
                _ = await eventually(within: .seconds(5)) { rig.messages(at: "b").contains(ask) }
            }
            #expect(rig.messages(at: "b").contains(ask))
        }
    }

    @Test func whatCannotBeDeliveredIsLostAndCountedAndTheNextArrives() async throws {
        try await ClusterRig.run("a", "b") { rig in
            let link = try rig.node("a").peers.link
            link.send([message(1)], to: "127.0.0.1:1")
            #expect(await eventually { link.counts.lost == 1 })
            link.send([message(2)], to: "no address")
            #expect(await eventually { link.counts.lost == 2 })
            let address = try #require(rig.ownership.now.addresses["b"])
            link.send([message(3)], to: address)
            #expect(await eventually { rig.messages(at: "b") == [message(3)] })
        }
    }

    @Test func withoutTheTokenNothingIsTaken() async throws {
        try await ClusterRig.run("a", peerToken: "peer-token-0123456\n") { rig in
            let stranger = PeerConnections(credentials: .open, logger: silent)
            let address = try #require(rig.ownership.now.addresses["a"])
            stranger.link.send([message(1)], to: address)
            #expect(await eventually { stranger.link.counts.lost == 1 })
            #expect(rig.messages(at: "a").isEmpty)
            try rig.node("a").peers.link.send([message(2)], to: address)
            #expect(await eventually { rig.messages(at: "a") == [message(2)] })
            await stranger.close()
        }
    }

    @Test func whatIsUnderstoodIsTakenBesideWhatIsNot() async throws {
        try await ClusterRig.run("a") { rig in
            let client = Wsm_V1_Peer.Client(wrapping: try rig.node("a").client)
            var batch = Wsm_V1_PeerBatch()
            batch.messages = [
                Wsm_V1_PeerEnvelope(message(1)), Wsm_V1_PeerEnvelope(),
                Wsm_V1_PeerEnvelope(message(2)),
            ]
            var piece = Wsm_V1_DeliverRequest()
            piece.part = try batch.serializedBytes()
            let sent = piece
            let error = await #expect(throws: RPCError.self) {
                _ = try await client.deliver { try await $0.write(sent) }
            }
            #expect(
                error?.message
                    == "1 of 3 messages are not understood: message is missing or not known")
            #expect(rig.messages(at: "a") == [message(1), message(2)])
        }
    }
}
