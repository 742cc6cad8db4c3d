import Testing

@testable import WebSocket

struct FrameEncoderTests {
    static func encode(
        _ opcode: FrameHeader.Opcode,
        _ payload: [UInt8],
        key: UInt32
    ) -> [UInt8] {
        let size = FrameEncoder.frameSize(payload: payload.count)
        return [UInt8](unsafeUninitializedCapacity: size) { output, count in
            count = payload.withUnsafeBytes {
                FrameEncoder.encode(
                    opcode, payload: $0, key: key, into: UnsafeMutableRawBufferPointer(output))
            }
        }
    }

    @Test func writesTheExampleOfTheStandard() {
        // RFC 6455, 5.7: a masked text "Hello".
        let frame = Self.encode(.text, Array("Hello".utf8), key: 0x37FA_213D)
        #expect(
            frame == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
    }

    @Test(arguments: [0, 1, 7, 8, 9, 15, 16, 17, 125, 126, 127, 65_535, 65_536, 65_543])
    func whatIsWrittenCanBeRead(_ count: Int) throws {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let frame = Self.encode(.binary, payload, key: 0xDEAD_BEEF)
        let parsed = try #require(Wire.parseClient(frame))
        #expect(parsed.fin)
        #expect(parsed.opcode == 2)
        #expect(parsed.payload == payload)
        #expect(parsed.size == frame.count)
        #expect(frame.count == FrameEncoder.frameSize(payload: count))
    }

    @Test func aKeyOfZeroLeavesThePayload() {
        #expect(Self.encode(.ping, [1, 2, 3], key: 0) == [0x89, 0x83, 0, 0, 0, 0, 1, 2, 3])
    }
}
