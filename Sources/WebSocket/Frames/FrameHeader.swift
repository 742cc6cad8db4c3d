/// The header of a frame from a server (RFC 6455, 5.2): never masked, and no extension in use but,
/// where it is allowed, compression.
struct FrameHeader: Sendable, Hashable {
    enum Opcode: UInt8, Sendable {
        case continuation = 0x0
        case text = 0x1
        case binary = 0x2
        case close = 0x8
        case ping = 0x9
        case pong = 0xA

        var isControl: Bool { self.rawValue & 0x8 != 0 }
    }

    var isFinal: Bool
    var opcode: Opcode
    /// The first reserved bit: this frame begins a compressed message (RFC 7692, 6).
    var isCompressed = false
    /// Bytes of payload; as large as the wire says, so check it before believing it.
    var length: Int
    /// Bytes this header takes on the wire.
    var size: Int

    /// Reads a header from the beginning of `bytes`, which may hold more than the header.
    ///
    /// What is wrong is refused as soon as the byte that is wrong is there.
    /// - Parameter compression: Whether the first reserved bit has a meaning.
    /// - Returns: Nil when more bytes are needed.
    static func parse(
        _ bytes: UnsafeRawBufferPointer,
        compression: Bool = false
    ) throws(WebSocketError) -> FrameHeader? {
        guard let first = bytes.first else { return nil }
        let isCompressed = compression && first & 0x40 != 0
        let opcode = try Self.checkFirst(isCompressed ? first & ~0x40 : first)
        guard !isCompressed || opcode == .text || opcode == .binary else {
            throw .violation("reserved bit set in a frame that begins no message")
        }
        guard bytes.count >= 2 else { return nil }
        let second = bytes[1]
        guard second & 0x80 == 0 else { throw .violation("masked frame from the server") }
        let isFinal = first & 0x80 != 0
        let short = Int(second & 0x7F)
        if opcode.isControl {
            guard isFinal else { throw .violation("fragmented control frame") }
            guard short <= WebSocketLimits.controlPayload else {
                throw .violation("control frame of more than 125 bytes")
            }
        }
        guard let (length, size) = try Self.length(short, in: bytes) else { return nil }
        return FrameHeader(
            isFinal: isFinal, opcode: opcode, isCompressed: isCompressed, length: length,
            size: size)
    }

    /// Checks the reserved bits and the opcode.
    private static func checkFirst(_ byte: UInt8) throws(WebSocketError) -> Opcode {
        guard byte & 0x70 == 0 else { throw .violation("reserved bit set") }
        guard let opcode = Opcode(rawValue: byte & 0x0F) else {
            throw .violation("unknown opcode \(byte & 0x0F)")
        }
        return opcode
    }

    /// Reads the length, which must be in its shortest form and fit 63 bits.
    private static func length(
        _ short: Int,
        in bytes: UnsafeRawBufferPointer
    ) throws(WebSocketError) -> (length: Int, size: Int)? {
        switch short {
        case 126:
            guard bytes.count >= 4 else { return nil }
            let length = bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self).bigEndian
            guard length > 125 else { throw .violation("length not in its shortest form") }
            return (Int(length), 4)
        case 127:
            guard bytes.count >= 10 else { return nil }
            let length = bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self).bigEndian
            guard length > UInt16.max else { throw .violation("length not in its shortest form") }
            guard let length = Int(exactly: length) else {
                throw .violation("length of more than 63 bits")
            }
            return (length, 10)
        default:
            return (short, 2)
        }
    }
}

extension WebSocketError {
    static func violation(_ message: String) -> WebSocketError {
        WebSocketError(.protocolViolation, message)
    }
}
