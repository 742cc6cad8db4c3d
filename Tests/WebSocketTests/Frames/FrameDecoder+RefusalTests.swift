import Testing

@testable import WebSocket

/// What the decoder refuses, with what it keeps of the time before.
struct FrameDecoderRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var code: WebSocketError.Code
        var testDescription: String { self.name }
    }

    static let violations: [Case] =
        [0x10, 0x20, 0x40, 0x70].map {
            Case(
                name: "reserved bits \($0)", bytes: Wire.frame(1, reserved: $0),
                code: .protocolViolation)
        }
        + [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map {
            Case(name: "opcode \($0)", bytes: Wire.frame($0), code: .protocolViolation)
        }
        + [8, 9, 10].flatMap { (opcode: UInt8) in
            [
                Case(
                    name: "fragmented control \(opcode)", bytes: Wire.frame(opcode, fin: false),
                    code: .protocolViolation),
                Case(
                    name: "control \(opcode) of 126 bytes",
                    bytes: Wire.frame(opcode, [UInt8](repeating: 0x61, count: 126)),
                    code: .protocolViolation),
            ]
        }
        + [1, 2, 8, 9].map {
            Case(
                name: "masked \($0)", bytes: Wire.frame($0, mask: true), code: .protocolViolation)
        }
        + [
            Case(
                name: "16-bit length of 125", bytes: [0x82, 126, 0, 125], code: .protocolViolation),
            Case(
                name: "64-bit length of 65535", bytes: [0x82, 127] + Wire.bigEndian(65_535),
                code: .protocolViolation),
            Case(
                name: "64-bit length of 0", bytes: [0x82, 127] + Wire.bigEndian(0),
                code: .protocolViolation),
            Case(
                name: "length with the highest bit",
                bytes: [0x82, 127] + Wire.bigEndian(1 << 63), code: .protocolViolation),
            Case(
                name: "continuation of nothing", bytes: Wire.frame(0), code: .protocolViolation),
            Case(
                name: "continuation after a whole message",
                bytes: Wire.text("a") + Wire.frame(0), code: .protocolViolation),
            Case(
                name: "text within a fragmented text",
                bytes: Wire.text("a", fin: false) + Wire.text("b"), code: .protocolViolation),
            Case(
                name: "binary within a fragmented text",
                bytes: Wire.text("a", fin: false) + Wire.frame(2, fin: false),
                code: .protocolViolation),
            Case(
                name: "close of one byte", bytes: Wire.frame(8, [3]), code: .protocolViolation),
            Case(
                name: "close reason not UTF-8", bytes: Wire.frame(8, [3, 232, 0xC3]),
                code: .invalidUTF8),
        ]
        + [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map {
            Case(name: "close code \($0)", bytes: Wire.close($0), code: .protocolViolation)
        }

    static let badTexts: [Case] = [
        ("a lone continuation", [0x80]), ("an overlong slash", [0xC0, 0xAF]),
        ("an overlong of three", [0xE0, 0x80, 0xAF]), ("a surrogate", [0xED, 0xA0, 0x80]),
        ("above the last", [0xF4, 0x90, 0x80, 0x80]), ("a byte that never is", [0xF5]),
        ("cut short", [0x61, 0xE2, 0x82]),
        ("wrong within a word", Array(repeating: 0x61, count: 13) + [0xFF]),
    ].map { Case(name: $0.0, bytes: Wire.frame(1, $0.1), code: .invalidUTF8) }

    @Test(arguments: violations + badTexts)
    func refusesHoweverTheBytesAreCut(_ example: Case) {
        for pieces in Decoding.splits(of: example.bytes) {
            #expect(Decoding.decode(pieces).failure == example.code, "cut \(pieces.map(\.count))")
            let later = Decoding.decode(pieces, leavingUpTo: 20).failure
            #expect(later == example.code, "cut \(pieces.map(\.count))")
        }
    }

    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
    func acceptsTheCodesThatMayBeSent(_ code: UInt16) {
        let end = Decoding.whole(Wire.close(code)).end
        #expect(end == .close(CloseFrame(sending: code, reason: "")))
    }

    @Test func keepsWhatCameBeforeTheFault() {
        let batch = Decoding.whole(Wire.text("a") + Wire.frame(9) + Wire.frame(3) + Wire.text("b"))
        #expect(batch.texts == ["a"])
        #expect(batch.controls == [.ping([])])
        #expect(batch.failure == .protocolViolation)
    }

    @Test func readsNothingAfterAFault() {
        var decoder = FrameDecoder(maxMessageSize: 10)
        var batch = FrameBatch()
        Wire.frame(3).withUnsafeBytes { decoder.decode($0, into: &batch) }
        batch = FrameBatch()
        Wire.text("a").withUnsafeBytes { decoder.decode($0, into: &batch) }
        #expect(batch == FrameBatch())
        #expect(decoder.hasEnded)
    }

    @Test func refusesBadTextBeforeTheFrameIsWhole() {
        // The header promises 100 bytes; the fault is in the third.
        #expect(Decoding.whole([0x81, 100, 0x61, 0x61, 0xFF]).failure == .invalidUTF8)
        // Autobahn 6.4: the fault is in a fragment of which more is to come.
        let fragments = Wire.text("κόσμε", fin: false) + [0x00, 50, 0xF4, 0x90]
        #expect(Decoding.whole(fragments).failure == .invalidUTF8)
    }

    @Test func refusesBadTextAcrossFragments() {
        let bytes = Wire.frame(1, [0xE2, 0x82], fin: false) + Wire.frame(0, [0x61])
        for pieces in Decoding.splits(of: bytes) {
            #expect(Decoding.decode(pieces).failure == .invalidUTF8)
        }
        let cut = Wire.frame(1, [0x61], fin: false) + Wire.frame(0, [0xE2, 0x82])
        #expect(Decoding.whole(cut).failure == .invalidUTF8)
    }

    @Test func refusesALargeMessageByItsHeader() {
        #expect(Decoding.whole([0x82, 11], maxMessageSize: 10).failure == .messageTooBig)
        #expect(Decoding.whole([0x82, 10], maxMessageSize: 10).end == nil)
        let huge = [0x82, 127] + Wire.bigEndian(UInt64(Int64.max))
        #expect(Decoding.whole(huge, maxMessageSize: 1 << 28).failure == .messageTooBig)
    }

    @Test func countsFragmentsTogether() {
        let first = Wire.frame(2, [1, 2, 3, 4, 5, 6], fin: false)
        #expect(Decoding.whole(first + [0x80, 4], maxMessageSize: 10).end == nil)
        #expect(Decoding.whole(first + [0x80, 5], maxMessageSize: 10).failure == .messageTooBig)
        let huge = first + [0x80, 127] + Wire.bigEndian(UInt64(Int64.max))
        #expect(Decoding.whole(huge, maxMessageSize: 10).failure == .messageTooBig)
    }
}
