/// Writes a client's frame: header, masking key and masked payload in one go (RFC 6455, 5.2, 5.3).
enum FrameEncoder {
    /// The size of the frame that carries so many bytes of payload.
    static func frameSize(payload count: Int) -> Int {
        let lengthSize = count <= 125 ? 0 : count <= Int(UInt16.max) ? 2 : 8
        return 2 + lengthSize + 4 + count
    }

    /// Writes one unfragmented frame.
    /// - Parameters:
    ///   - isCompressed: Whether the payload is a compressed message (RFC 7692, 6).
    ///   - key: The masking key, fresh for every frame from a generator nobody can predict.
    ///   - output: At least `frameSize(payload:)` bytes.
    /// - Returns: The bytes written.
    static func encode(
        _ opcode: FrameHeader.Opcode,
        payload: UnsafeRawBufferPointer,
        isCompressed: Bool = false,
        key: UInt32,
        into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        output[0] = (isCompressed ? 0xC0 : 0x80) | opcode.rawValue
        var position: Int
        switch payload.count {
        case ...125:
            output[1] = 0x80 | UInt8(truncatingIfNeeded: payload.count)
            position = 2
        case ...Int(UInt16.max):
            output[1] = 0x80 | 126
            let length = UInt16(truncatingIfNeeded: payload.count).bigEndian
            output.storeBytes(of: length, toByteOffset: 2, as: UInt16.self)
            position = 4
        default:
            output[1] = 0x80 | 127
            let length = UInt64(truncatingIfNeeded: payload.count).bigEndian
            output.storeBytes(of: length, toByteOffset: 2, as: UInt64.self)
            position = 10
        }
        output.storeBytes(of: key.bigEndian, toByteOffset: position, as: UInt32.self)
        position &+= 4
        Self.mask(payload, key: key, into: output, at: position)
        return position &+ payload.count
    }

    /// Copies `input` to `output` from `offset` on, masked eight bytes at a time.
    private static func mask(
        _ input: UnsafeRawBufferPointer,
        key: UInt32,
        into output: UnsafeMutableRawBufferPointer,
        at offset: Int
    ) {
        let wide = (UInt64(key) << 32 | UInt64(key)).bigEndian
        var index = 0
        while index &+ 8 <= input.count {
            let word = input.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ wide
            output.storeBytes(of: word, toByteOffset: offset &+ index, as: UInt64.self)
            index &+= 8
        }
        // A multiple of eight is behind us, so the key begins anew.
        while index < input.count {
            let shift = UInt32(24 &- 8 &* (index & 3))
            output[offset &+ index] = input[index] ^ UInt8(truncatingIfNeeded: key >> shift)
            index &+= 1
        }
    }
}
