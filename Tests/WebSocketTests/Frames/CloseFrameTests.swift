import Testing

@testable import WebSocket

struct CloseFrameTests {
    @Test func aCodeThatMustNotBeSentBecomesNormal() {
        for code: UInt16 in [0, 999, 1004, 1005, 1006, 1015, 2000, 5000] {
            #expect(CloseFrame(sending: code, reason: "").code == 1000)
        }
        #expect(CloseFrame(sending: 4001, reason: "").code == 4001)
    }

    @Test func aLongReasonIsCutBetweenCharacters() {
        let frame = CloseFrame(sending: 1000, reason: String(repeating: "ü", count: 100))
        #expect(frame.reason == String(repeating: "ü", count: 61))
        #expect(frame.payload.count == 124)
        let exact = CloseFrame(sending: 1000, reason: String(repeating: "x", count: 123))
        #expect(exact.payload.count == WebSocketLimits.controlPayload)
    }

    @Test func whatIsWrittenIsRead() throws {
        let frame = CloseFrame(sending: 3001, reason: "über")
        #expect(try CloseFrame(parsing: frame.payload) == frame)
        #expect(try CloseFrame(parsing: []) == .empty)
    }
}
