import Testing

@testable import WebSocket

/// Compressed messages through the decoder; the bytes are those of RFC 7692, 7.2.3, where it has some.
struct CompressedDecodingTests {
    static let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]

    static func agreement(
        keepsContext: Bool = true,
        bits: Int = 15
    ) -> CompressionAgreement {
        CompressionAgreement(
            serverKeepsContext: keepsContext, clientKeepsContext: keepsContext,
            serverWindowBits: bits, clientWindowBits: bits)
    }

    static func decode(
        _ pieces: [[UInt8]],
        keepsContext: Bool = true,
        bits: Int = 15,
        maxMessageSize: Int = 1 << 20
    ) -> FrameBatch {
        var decoder = FrameDecoder(maxMessageSize: maxMessageSize)
        decoder.inflater = MessageInflater(Self.agreement(keepsContext: keepsContext, bits: bits))
        var batch = FrameBatch()
        for piece in pieces { piece.withUnsafeBytes { decoder.decode($0, into: &batch) } }
        return batch
    }

    static func compressed(_ payload: [UInt8], opcode: UInt8 = 1, fin: Bool = true) -> [UInt8] {
        Wire.frame(opcode, payload, fin: fin, reserved: 0x40)
    }

    @Test(arguments: [
        hello, [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
        [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
        [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00],
        [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x01],
    ])
    func theExamplesOfTheRFCAreHello(_ payload: [UInt8]) {
        for pieces in Decoding.splits(of: Self.compressed(payload)) {
            let batch = Self.decode(pieces)
            #expect(batch.texts == ["Hello"])
            #expect(batch.end == nil)
        }
    }

    @Test func fragmentsAreOneMessageWithPingsBetween() {
        let bytes =
            Self.compressed(Array(Self.hello[..<3]), fin: false) + Wire.frame(9, [1])
            + Wire.frame(0, [], fin: false) + Wire.frame(0, Array(Self.hello[3...]))
        for pieces in Decoding.splits(of: bytes) {
            let batch = Self.decode(pieces)
            #expect(batch.texts == ["Hello"])
            #expect(batch.controls == [.ping([1])])
        }
    }

    @Test func aSecondMessageMayReferToTheFirst() {
        let second: [UInt8] = [0xF2, 0x00, 0x11, 0x00, 0x00]
        let bytes = Self.compressed(Self.hello) + Self.compressed(second)
        #expect(Self.decode([bytes]).texts == ["Hello", "Hello"])
        let without = Self.decode([bytes], keepsContext: false)
        #expect(without.texts == ["Hello"])
        #expect(without.failure == .badCompression)
    }

    @Test func theWindowOutlivesABlockMarkedAsTheLast() {
        let final: [UInt8] = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]
        let bytes = Self.compressed(final) + Self.compressed([0xF2, 0x00, 0x11, 0x00, 0x00])
        #expect(Self.decode([bytes]).texts == ["Hello", "Hello"])
    }

    @Test func plainMessagesGoBetween() {
        let bytes =
            Wire.text("a") + Self.compressed(Self.hello) + Wire.text("b")
            + Self.compressed(Self.hello, opcode: 2) + Wire.frame(2, [0x63])
        let batch = Self.decode([bytes])
        #expect(batch.texts == ["a", "Hello", "b", "Hello", "c"])
        #expect(batch.messages.map(\.kind) == [.text, .text, .text, .binary, .binary])
    }

    @Test func smallMessagesOfOneKindShareASegment() {
        let one = Self.compressed(Self.hello)
        #expect(Self.decode([one + one + one]).segments.map(\.count) == [3])
    }

    @Test func nothingIsAMessageToo() {
        #expect(Self.decode([Self.compressed([0x00])]).texts == [""])
    }

    @Test(arguments: [
        [] as [UInt8], [0xF2], [0xF2, 0x48, 0xCD], [0x06], [0xFF, 0xFF], [0x03, 0x00],
        [0x04, 0xC0, 0xFF], [0x00, 0x05, 0x00, 0xFA, 0xFE, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00],
    ])
    func whatIsNoDeflateDataIsRefused(_ payload: [UInt8]) {
        for pieces in Decoding.splits(of: Self.compressed(payload)) {
            let batch = Self.decode(pieces)
            #expect(batch.failure == .badCompression)
            #expect(batch.messages.isEmpty)
        }
    }

    @Test(arguments: [
        Wire.frame(9, [], reserved: 0x40), Wire.frame(8, [], reserved: 0x40),
        Wire.frame(10, [1], reserved: 0x40),
        Wire.text("a", fin: false)
            + Wire.frame(0, [0x62], reserved: 0x40),
        compressed(hello, fin: false) + Wire.frame(0, [], reserved: 0x40),
        Wire.frame(0, [], reserved: 0x40), Wire.frame(1, hello, reserved: 0x60),
        Wire.frame(2, hello, reserved: 0x20), Wire.frame(1, hello, reserved: 0x50),
        Wire.frame(3, hello, reserved: 0x40),
    ])
    func aReservedBitElsewhereIsRefused(_ bytes: [UInt8]) {
        for pieces in Decoding.splits(of: bytes) {
            #expect(Self.decode(pieces).failure == .protocolViolation)
        }
    }

    @Test func withoutAnAgreementTheBitIsRefused() {
        #expect(Decoding.whole(Self.compressed(Self.hello)).failure == .protocolViolation)
    }

    @Test func textIsCheckedAsItIsInflated() throws {
        let deflater = MessageDeflater(Self.agreement(), threshold: 0)
        let bad = try #require(deflater.deflate([UInt8](repeating: 0xFF, count: 100)))
        #expect(Self.decode([Self.compressed(bad, fin: false)]).failure == .invalidUTF8)
        // A character cut off at the end.
        #expect(
            Self.decode([Self.compressed([0x00, 0x01, 0x00, 0xFE, 0xFF, 0xC3, 0x00])]).failure
                == .invalidUTF8)
    }

    /// A thousand times smaller on the wire than in memory.
    @Test func aBombIsRefusedAtTheLimit() throws {
        let deflater = MessageDeflater(Self.agreement(), threshold: 0)
        let zeros = [UInt8](repeating: 0, count: 1 << 24)
        let bomb = try #require(deflater.deflate(zeros))
        #expect(bomb.count < 20_000)
        let frame = Self.compressed(bomb, opcode: 2)
        #expect(Self.decode([frame], maxMessageSize: 100_000).failure == .messageTooBig)
        #expect(Self.decode([frame], maxMessageSize: (1 << 24) - 1).failure == .messageTooBig)
        let whole = Self.decode([frame], maxMessageSize: 1 << 24)
        #expect(whole.messages.map(\.payload.count) == [1 << 24])
    }

    /// Found by fuzzing: which of two faults was told depended on how the bytes were cut.
    @Test func ofTwoFaultsTheFirstBytesIsTold() throws {
        // Each by a deflater of its own: the second would refer back to the first.
        let late = try #require(
            MessageDeflater(Self.agreement(), threshold: 0)
                .deflate([0x61, 0x61, 0x61] + Array(repeating: 0xFF, count: 40)))
        let early = try #require(
            MessageDeflater(Self.agreement(), threshold: 0)
                .deflate(Array(repeating: 0xFF, count: 40)))
        for (payload, failure) in [
            (late, WebSocketError.Code.messageTooBig), (early, .invalidUTF8),
        ] {
            for pieces in Decoding.splits(of: Self.compressed(payload)) {
                let decoded = Self.decode(pieces, keepsContext: false, maxMessageSize: 2)
                #expect(decoded.failure == failure)
            }
        }
    }

    @Test func emptyBlocksDoNotGoOnForEver() {
        let block: [UInt8] = [0x00, 0x00, 0x00, 0xFF, 0xFF]
        let blocks = [UInt8](repeating: 0, count: 200).flatMap { _ in block }
        let first = Self.compressed(blocks, fin: false)
        let batch = Self.decode(
            [first]
                + [[UInt8]](
                    repeating: Wire.frame(0, blocks, fin: false), count: 5), maxMessageSize: 1000)
        #expect(batch.failure == .messageTooBig)
    }

    @Test func aFrameThatCannotBeWithinTheLimitIsRefusedByItsHeader() {
        #expect(
            Self.decode([[0xC2, 126, 0x10, 0x00]], maxMessageSize: 1000).failure == .messageTooBig)
        #expect(Self.decode([[0xC2, 126, 0x08, 0x00]], maxMessageSize: 1000).end == nil)
    }
}
