import GRPCCore
import NIOCore
import Testing

@testable import Dapr

/// How calls and connections end other than by an answer.
struct CallEndsTests {
    @Test func aCallWithoutAnAnswerEndsAtItsDeadlineAndAlone() throws {
        var talk = try Talk()
        let late = try talk.call(1, within: .milliseconds(100))
        let other = try talk.call(2)
        #expect(talk.connection.wakeAt == talk.now + .milliseconds(100))
        try talk.pass(.milliseconds(99))
        #expect(talk.answers.isEmpty)
        try talk.pass(.milliseconds(1))
        #expect(talk.code(1) == "deadlineExceeded")
        #expect(talk.written.outline.first == "reset 1 4")
        #expect(talk.written.number(talk.written.frames[0]) == HTTP2.Code.cancel.rawValue)
        // What comes of it later is passed over.
        try talk.peer.answer(late)
        try talk.peer.answer(other)
        try talk.read()
        #expect(talk.message(2) == [])
        #expect(talk.connection.phase == .open)
    }

    @Test func aCancelledCallIsTakenBack() throws {
        var talk = try Talk()
        let stream = try talk.call(1, bytes: 100_000)
        talk.connection.cancel(stream, now: talk.now)
        try talk.note()
        #expect(talk.code(1) == "cancelled")
        #expect(talk.written.outline == ["reset 1 4"])
        talk.peer.windowUpdate(0, 100_000)
        talk.peer.windowUpdate(stream, 100_000)
        try talk.read()
        #expect(talk.written.frames.isEmpty)
    }

    @Test(arguments: [HTTP2.Code.refused, .cancel, .internalError, .enhanceYourCalm, .none])
    func aResetCallMayBeMadeAgain(code: HTTP2.Code) throws {
        var talk = try Talk()
        let stream = try talk.call(1)
        try talk.call(2)
        talk.peer.reset(stream, code)
        try talk.read()
        // Never a code by which a message would be given up for good.
        #expect(talk.code(1) == "unavailable")
        #expect(talk.answers[2] == nil && talk.connection.hasRoom)
    }

    @Test func aResetBehindAWholeAnswerChangesNothing() throws {
        var talk = try Talk()
        let stream = try talk.call(1)
        try talk.peer.answer(stream)
        talk.peer.reset(stream, .none)
        try talk.read()
        #expect(talk.message(1) == [])
        #expect(talk.connection.phase == .open)
    }

    @Test func goAwayFailsWhatWasNotBegunAndLetsTheRestEnd() throws {
        var talk = try Talk()
        let first = try talk.call(1)
        try talk.call(2)
        // First a warning, as servers give it, then the last stream.
        talk.peer.goAway(last: UInt32(Int32.max))
        try talk.read()
        #expect(talk.connection.phase == .draining && !talk.connection.hasRoom)
        #expect(talk.answers.isEmpty)
        talk.peer.goAway(last: first)
        try talk.read()
        #expect(talk.code(2) == "unavailable")
        #expect(!talk.connection.isOver)
        try talk.peer.answer(first)
        try talk.read()
        #expect(talk.message(1) == [])
        #expect(talk.connection.isOver)
    }

    @Test func aConnectionThatFailsFailsItsCalls() throws {
        var talk = try Talk()
        for token in 0..<3 { try talk.call(token) }
        talk.connection.end(.init(code: .unavailable, message: "gone"), now: talk.now)
        try talk.note()
        #expect((0..<3).allSatisfy { talk.code($0) == "unavailable" })
        #expect(talk.connection.wakeAt == nil)
    }

    @Test func pingsAreAnswered() throws {
        var talk = try Talk()
        // More than a whole turn is owed, but each turn is paid.
        for turn in 0..<2_000 {
            talk.peer.frame(6, stream: 0, [1, 2, 3, 4, 5, 6, 7, UInt8(turn & 0xFF)])
            try talk.read()
            talk.connection.owedReplies = 0
        }
        let frame = try #require(talk.written.frames.last)
        #expect(frame.kind == .ping && frame.flags == .acknowledges)
        #expect(Array(frame.payload.readableBytesView) == [1, 2, 3, 4, 5, 6, 7, 0xCF])
    }

    @Test func aSilentPeerIsAskedAndThenLeft() throws {
        var talk = try Talk()
        try talk.pass(.seconds(100))
        try talk.call(1)
        try talk.pass(.seconds(2))
        #expect(talk.written.outline == ["reset 1 4", "ping 0 8"])
        // It is slow, but there.
        talk.peer.frame(6, .acknowledges, stream: 0, Array(repeating: 0, count: 8))
        try talk.read()
        try talk.call(2)
        try talk.pass(.seconds(2))
        #expect(talk.written.outline == ["reset 3 4"], "a ping each 10 s at most")
        try talk.pass(.seconds(8))
        try talk.call(3)
        try talk.pass(.seconds(2))
        #expect(talk.written.outline == ["reset 5 4", "ping 0 8"])
        try talk.call(4, within: .seconds(60))
        try talk.pass(.seconds(4))
        #expect(talk.connection.phase == .open)
        try talk.pass(.seconds(1))
        #expect(talk.code(4) == "unavailable")
        #expect(talk.connection.isOver)
    }

    @Test func aConnectionNobodyNeedsIsLeft() throws {
        var talk = try Talk()
        let stream = try talk.call(1)
        try talk.peer.answer(stream)
        try talk.read()
        try talk.pass(.seconds(149))
        #expect(talk.connection.wakeAt == talk.now + .seconds(1))
        #expect(!talk.connection.isOver)
        try talk.pass(.seconds(1))
        #expect(talk.connection.phase == .draining && talk.connection.isOver)
    }

    @Test func whoDoesNotBeginInTimeIsLeft() throws {
        var talk = try Talk(settings: nil)
        try talk.pass(.seconds(5))
        #expect(talk.connection.isOver)
        #expect(talk.written.outline == ["settings 0 12", "goAway 0 8"])
    }
}
