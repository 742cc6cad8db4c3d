import NIOCore
import Testing

@testable import Dapr

/// A peer that goes against the protocol is told why and left; nothing it sends traps.
struct PeerFaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var code: HTTP2.Code
        var frames: @Sendable (inout PeerEnd) throws -> Void

        var testDescription: String { name }
    }

    static let faults = [
        Fault(name: "HTTP/1", code: .frameSize) { $0.bytes.writeString("HTTP/1.1 400 Bad\r\n") },
        Fault(name: "frame too large", code: .frameSize) {
            $0.frame(0, stream: 1, Array(repeating: 0, count: 16_385))
        },
        Fault(name: "data of the connection", code: .protocolError) { $0.data(0, [1]) },
        Fault(name: "a stream that never began", code: .protocolError) { $0.data(9, [1]) },
        Fault(name: "a stream of the peer", code: .protocolError) { $0.reset(2, .cancel) },
        Fault(name: "a push", code: .protocolError) { $0.frame(5, .endHeaders, stream: 1) },
        Fault(name: "data first", code: .protocolError) { $0.data(1, [0]) },
        Fault(name: "head twice", code: .protocolError) { peer in
            for _ in 0..<2 { try peer.headers(1, PeerEnd.head) }
        },
        Fault(name: "too much padding", code: .protocolError) {
            $0.frame(0, .padded, stream: 1, [9, 1])
        },
        Fault(name: "no padding", code: .frameSize) { $0.frame(0, .padded, stream: 1) },
        Fault(name: "no priority", code: .frameSize) { $0.frame(1, .priority, stream: 1, [1]) },
        Fault(name: "a broken block", code: .compression) {
            $0.frame(1, .endHeaders, stream: 1, [0xFE])
        },
        Fault(name: "a block broken off", code: .protocolError) { peer in
            peer.frame(1, stream: 1, [0x88])
            peer.data(1, [1])
        },
        Fault(name: "a block without begin", code: .protocolError) { $0.frame(9, stream: 1) },
        Fault(name: "an endless block", code: .enhanceYourCalm) { peer in
            peer.frame(1, stream: 1, [0x88])
            for _ in 0..<5 { peer.frame(9, stream: 1, Array(repeating: 0x88, count: 16_384)) }
        },
        Fault(name: "settings of a stream", code: .protocolError) { $0.frame(4, stream: 1) },
        Fault(name: "half a setting", code: .frameSize) { $0.frame(4, stream: 0, [0, 1, 2]) },
        Fault(name: "small frames", code: .protocolError) { $0.settings([(5, 100)]) },
        Fault(name: "a large first window", code: .flowControl) { $0.settings([(4, 1 << 31)]) },
        Fault(name: "a large window", code: .flowControl) {
            $0.windowUpdate(0, UInt32(Int32.max))
        },
        Fault(name: "a large window of a stream", code: .flowControl) {
            $0.windowUpdate(1, UInt32(Int32.max))
        },
        Fault(name: "a window opened by nothing", code: .protocolError) { $0.windowUpdate(0, 0) },
        Fault(name: "a short ping", code: .frameSize) { $0.frame(6, stream: 0, [1]) },
        Fault(name: "a short goaway", code: .frameSize) { $0.frame(7, stream: 0, [1]) },
        Fault(name: "a short reset", code: .frameSize) { $0.frame(3, stream: 1, [1]) },
        Fault(name: "a short window update", code: .frameSize) { $0.frame(8, stream: 1, [1]) },
        Fault(name: "a flood of pings", code: .enhanceYourCalm) { peer in
            for _ in 0...1_000 { peer.frame(6, stream: 0, Array(repeating: 1, count: 8)) }
        },
    ]

    @Test(arguments: faults)
    func aFaultEndsTheConnectionAndSaysWhy(fault: Fault) throws {
        var talk = try Talk()
        try talk.call(1)
        try fault.frames(&talk.peer)
        try talk.read()
        #expect(talk.connection.isOver)
        let last = try #require(talk.written.frames.last)
        #expect(last.kind == .goAway)
        #expect(talk.written.number(last, at: 4) == fault.code.rawValue)
        #expect(talk.code(1) == "unavailable")
    }

    @Test func settingsComeFirst() throws {
        var talk = try Talk(settings: nil)
        talk.peer.frame(6, stream: 0, Array(repeating: 1, count: 8))
        try talk.read()
        #expect(talk.connection.isOver)
    }

    /// Frames of random kinds and contents, in a fixed row of seeds.
    @Test func nothingAPeerSendsTraps() throws {
        var random = Numbers(state: 1)
        for _ in 0..<2_000 {
            var talk = try Talk()
            for token in 0..<4 { try talk.call(token, bytes: 30_000) }
            for _ in 0..<8 {
                let length = Int.random(in: 0...20, using: &random)
                talk.peer.frame(
                    UInt8.random(in: 0...10, using: &random),
                    HTTP2.Flags(rawValue: UInt8.random(in: 0...0x2F, using: &random)),
                    stream: UInt32.random(in: 0...9, using: &random),
                    (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
            }
            talk.connection.receive(talk.peer.take(), now: talk.now)
            let under = talk.connection.streams.count
            #expect(talk.connection.takeAnswers().count + under == 4)
        }
    }

    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }
}
