import Testing

@testable import WebSocket

/// What the decoder accepts, in every way the bytes may be cut by reads.
struct FrameDecoderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var expected: FrameBatch
        var testDescription: String { self.name }
    }

    static func text(_ text: String) -> WebSocketMessage {
        WebSocketMessage(kind: .text, payload: Array(text.utf8))
    }

    static let accepted: [Case] = [
        Case(name: "nothing", bytes: [], expected: FrameBatch()),
        Case(
            name: "one text", bytes: Wire.text("hello"),
            expected: FrameBatch(messages: [text("hello")])),
        Case(
            name: "an empty text and an empty binary", bytes: Wire.text("") + Wire.frame(2),
            expected: FrameBatch(messages: [
                text(""), WebSocketMessage(kind: .binary, payload: []),
            ])),
        Case(
            name: "binary that is not UTF-8", bytes: Wire.frame(2, [0xFF, 0x00, 0xC0]),
            expected: FrameBatch(messages: [
                WebSocketMessage(kind: .binary, payload: [0xFF, 0x00, 0xC0])
            ])),
        Case(
            name: "three texts in a row",
            bytes: Wire.text("a") + Wire.text("grün") + Wire.text("緑🟢"),
            expected: FrameBatch(messages: [text("a"), text("grün"), text("緑🟢")])),
        Case(
            name: "a fragmented text",
            bytes: Wire.text("a", fin: false)
                + Wire.frame(0, Array("b".utf8), fin: false) + Wire.frame(0, Array("c".utf8)),
            expected: FrameBatch(messages: [text("abc")])),
        Case(
            name: "fragments without bytes",
            bytes: Wire.text("", fin: false) + Wire.frame(0, fin: false) + Wire.frame(0),
            expected: FrameBatch(messages: [text("")])),
        Case(
            name: "a character split between fragments",
            bytes: Wire.frame(1, [0xF0, 0x9F], fin: false) + Wire.frame(0, [0x9F], fin: false)
                + Wire.frame(0, [0xA2]),
            expected: FrameBatch(messages: [text("🟢")])),
        Case(
            name: "ping and pong between fragments",
            bytes: Wire.text("a", fin: false) + Wire.frame(9, [1, 2]) + Wire.frame(10)
                + Wire.frame(0, Array("b".utf8)) + Wire.frame(9),
            expected: FrameBatch(
                messages: [text("ab")], controls: [.ping([1, 2]), .pong([]), .ping([])])),
        Case(
            name: "a ping of 125 bytes", bytes: Wire.frame(9, [UInt8](repeating: 7, count: 125)),
            expected: FrameBatch(controls: [.ping([UInt8](repeating: 7, count: 125))])),
        Case(
            name: "an empty close", bytes: Wire.frame(8),
            expected: FrameBatch(end: .close(.empty))),
        Case(
            name: "a close with code and reason", bytes: Wire.close(1001, "going âway"),
            expected: FrameBatch(
                end: .close(CloseFrame(sending: 1001, reason: "going âway")))),
        Case(
            name: "a close between fragments", bytes: Wire.text("a", fin: false) + Wire.close(1000),
            expected: FrameBatch(end: .close(CloseFrame(sending: 1000, reason: "")))),
        Case(
            name: "nothing after a close counts",
            bytes: Wire.text("a") + Wire.close(4999) + Wire.text("b") + [0xFF, 0xFF],
            expected: FrameBatch(
                messages: [text("a")], end: .close(CloseFrame(sending: 4999, reason: "")))),
    ]

    @Test(arguments: accepted)
    func acceptsHoweverTheBytesAreCut(_ example: Case) {
        for pieces in Decoding.splits(of: example.bytes) {
            for most in [0, 3, 7, 20, 200] {
                let decoded = Decoding.decode(pieces, leavingUpTo: most)
                #expect(decoded == example.expected, "cut as \(pieces.map(\.count)), \(most)")
            }
        }
    }

    /// A message of six bytes, then so many of the ten of another.
    @Test(arguments: [
        (bytes: 5, most: 10, taken: 6), (5, 9, 11), (5, 0, 11), (1, 10, 6), (1, 0, 7), (0, 10, 6),
        (10, 10, 16),
    ])
    func leavesABegunFrameThatIsSmallEnough(_ bytes: Int, _ most: Int, _ taken: Int) {
        let input = Wire.text("abcd") + Wire.text("efghijkl").prefix(bytes)
        var decoder = FrameDecoder(maxMessageSize: 100)
        var batch = FrameBatch()
        let count = input.withUnsafeBytes { decoder.decode($0, into: &batch, leavingUpTo: most) }
        #expect(count == taken)
        #expect(decoder.isMidFrame == (taken > 6 && bytes < 10))
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 70_001])
    func readsEveryFormOfLength(_ count: Int) {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let expected = FrameBatch(messages: [WebSocketMessage(kind: .binary, payload: payload)])
        let bytes = Wire.frame(2, payload)
        #expect(Decoding.whole(bytes) == expected)
        #expect(Decoding.decode(bytes.map { [$0] }) == expected)
        for cut in 1..<min(bytes.count, 16) {
            #expect(Decoding.decode([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
        }
    }

    @Test func tellsWhetherItIsWithinAFrame() {
        var decoder = FrameDecoder(maxMessageSize: 100)
        var batch = FrameBatch()
        let bytes = Wire.text("ab", fin: false) + Wire.frame(0)
        var midFrame: [Bool] = []
        for byte in bytes {
            withUnsafeBytes(of: byte) { decoder.decode($0, into: &batch) }
            midFrame.append(decoder.isMidFrame)
        }
        #expect(midFrame == [true, true, true, false, true, false])
        #expect(batch.texts == ["ab"])
    }

    @Test func aNewLimitHoldsFromTheNextMessageOn() {
        var decoder = FrameDecoder(maxMessageSize: 4)
        var batch = FrameBatch()
        Wire.text("ab", fin: false).withUnsafeBytes { decoder.decode($0, into: &batch) }
        decoder.maxMessageSize = 1
        Wire.frame(0, Array("cd".utf8)).withUnsafeBytes { decoder.decode($0, into: &batch) }
        #expect(batch.texts == ["abcd"])
        #expect(batch.end == nil)
        Wire.text("ab").withUnsafeBytes { decoder.decode($0, into: &batch) }
        #expect(batch.failure == .messageTooBig)
    }

    // MARK: Long rows

    private static func row(_ count: Int, of size: Int) -> [[UInt8]] {
        (0..<count).map { number in
            (0..<size).map { UInt8(0x20 + (number &* 31 &+ $0) % 0x5F) }
        }
    }

    @Test(
        arguments: [(20_000, 10), (3_000, 255), (3_000, 1_100), (300, 4_096), (40, 65_536)],
        [false, true])
    func aLongRowComesInSegmentsThatAreBounded(
        _ shape: (count: Int, size: Int),
        pastCaches: Bool
    ) {
        let (count, size) = shape
        let payloads = Self.row(count, of: size)
        let frames = payloads.flatMap { Wire.frame(1, $0) }
        let batch = Decoding.decode([frames], pastCaches: pastCaches)
        #expect(batch.end == nil)
        #expect(batch.messages.map(\.payload) == payloads)
        #expect(
            batch.segments.allSatisfy {
                $0.count <= WebSocketLimits.segmentMessages
                    && $0.bytes.count <= WebSocketLimits.segmentBytes
            })
        let fewest = max(
            count / WebSocketLimits.segmentMessages, count * size / WebSocketLimits.segmentBytes)
        #expect(batch.segments.count <= fewest + 1)
    }

    @Test func aMessageLargerThanASegmentStandsAlone() {
        let payloads = [10, 3 * WebSocketLimits.segmentBytes, 10].map { Self.row(1, of: $0)[0] }
        let batch = Decoding.whole(payloads.flatMap { Wire.frame(2, $0) })
        #expect(batch.messages.map(\.payload) == payloads)
        #expect(batch.segments.map(\.count) == [1, 1, 1])
    }

    @Test(arguments: [false, true]) func aLongRowIsCheckedMessageByMessage(pastCaches: Bool) {
        let good = Array(String(repeating: "größer ", count: 200).utf8)
        let bad = good + [0xC3]
        let texts = Array(repeating: good, count: 150)
        let frames = (texts + [bad, good]).flatMap { Wire.frame(1, $0) }
        let batch = Decoding.decode([frames], pastCaches: pastCaches)
        #expect(batch.failure == .invalidUTF8)
        #expect(batch.messages.map(\.payload) == texts)
    }
}
