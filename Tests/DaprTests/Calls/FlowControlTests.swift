import NIOCore
import Testing

@testable import Dapr

struct FlowControlTests {
    @Test func aLargeMessageGoesOutAsTheWindowsOpen() throws {
        var talk = try Talk()
        let stream = try talk.call(1, bytes: 100_000)
        #expect(
            talk.written.outline.dropFirst() == [
                "data 1 16384", "data 1 16384", "data 1 16384", "data 1 16383",
            ])
        talk.peer.windowUpdate(stream, 20_000)
        try talk.read()
        #expect(talk.written.frames.isEmpty)
        talk.peer.windowUpdate(0, 1_000_000)
        try talk.read()
        #expect(talk.written.outline == ["data 1 16384", "data 1 3616"])
        talk.peer.windowUpdate(stream, 20_000)
        try talk.read()
        #expect(talk.written.outline == ["data 1 14465 end"])
    }

    @Test func aPeerMayTakeLargerFramesAndWindows() throws {
        var talk = try Talk(settings: [(4, 200_000), (5, 50_000)])
        talk.peer.windowUpdate(0, 200_000)
        try talk.read()
        try talk.call(1, bytes: 120_000)
        #expect(
            talk.written.outline.dropFirst() == [
                "data 1 50000", "data 1 50000", "data 1 20000 end",
            ])
    }

    @Test func streamsThatWaitForTheConnectionGoOnInTheirOrder() throws {
        var talk = try Talk()
        for token in 0..<3 { try talk.call(token, bytes: 40_000) }
        talk.peer.windowUpdate(0, 20_000)
        try talk.read()
        #expect(talk.written.outline == ["data 3 14465 end", "data 5 5535"])
        talk.peer.windowUpdate(0, 50_000)
        try talk.read()
        #expect(
            talk.written.outline == ["data 5 16384", "data 5 16384", "data 5 1697 end"])
    }

    @Test func aWindowThatShrinksStopsAStreamUntilItIsOpenAgain() throws {
        var talk = try Talk(settings: [(4, 10_000)])
        let stream = try talk.call(1, bytes: 15_000)
        #expect(talk.written.outline.last == "data 1 10000")
        // 10,000 are out, so the window is 6,000 below zero.
        talk.peer.settings([(4, 4_000)])
        talk.peer.windowUpdate(stream, 6_000)
        try talk.read()
        #expect(talk.written.outline == ["settings 0 0"])
        talk.peer.windowUpdate(stream, 1)
        try talk.read()
        #expect(talk.written.outline == ["data 1 1"])
        talk.peer.settings([(4, 9_000)])
        try talk.read()
        #expect(talk.written.outline == ["settings 0 0", "data 1 4999 end"])
    }

    @Test func aCallThatEndsEarlyGivesItsPlaceToOthers() throws {
        var talk = try Talk()
        let refused = try talk.call(1, bytes: 100_000)
        try talk.call(2, bytes: 10)
        try talk.peer.refusal(refused, [("grpc-status", "8"), ("grpc-message", "too large")])
        try talk.read()
        #expect(talk.code(1) == "resourceExhausted")
        #expect(talk.written.outline == ["reset 1 4"])
        talk.peer.windowUpdate(0, 10)
        try talk.read()
        #expect(talk.written.outline == ["data 3 10 end"])
    }

    @Test func thePeerIsToldRoomForWhatWasRead() throws {
        var talk = try Talk()
        let stream = try talk.call(1)
        try talk.peer.headers(stream, PeerEnd.head)
        talk.peer.data(stream, [0, 0, 1, 0, 0] + Array(repeating: 1, count: 16_000))
        talk.peer.data(stream, Array(repeating: 1, count: 16_384))
        try talk.read()
        #expect(talk.written.frames.isEmpty)
        talk.peer.data(stream, Array(repeating: 1, count: 16_384))
        try talk.read()
        #expect(talk.written.outline == ["windowUpdate 0 4", "windowUpdate 1 4"])
        #expect(talk.written.frames.allSatisfy { talk.written.number($0) == 48_773 })
        talk.peer.data(stream, Array(repeating: 1, count: 16_384))
        talk.peer.data(stream, Array(repeating: 1, count: 384))
        try talk.peer.headers(stream, PeerEnd.ok, isLast: true)
        try talk.read()
        #expect(talk.message(1)?.count == 65_536)
    }

    @Test func bytesOfCallsThatEndedCountForTheConnectionToo() throws {
        var talk = try Talk()
        let stream = try talk.call(1)
        try talk.pass(.seconds(2))
        #expect(talk.code(1) == "deadlineExceeded")
        for _ in 0..<3 { talk.peer.data(stream, Array(repeating: 1, count: 16_384)) }
        try talk.read()
        #expect(talk.written.outline == ["windowUpdate 0 4"])
        #expect(talk.connection.hasRoom)
    }
}
