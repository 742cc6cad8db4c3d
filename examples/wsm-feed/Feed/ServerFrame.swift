import NIOCore

/// Writes frames as a server does, or as none should.
enum ServerFrame {
    static let continuation: UInt8 = 0
    static let text: UInt8 = 1
    static let binary: UInt8 = 2
    static let close: UInt8 = 8
    static let ping: UInt8 = 9
    static let pong: UInt8 = 10

    /// Adds one frame to a buffer.
    /// - Parameters:
    ///   - opcode: The low four bits of the first byte, valid or not.
    ///   - reserved: The three reserved bits, 0x40, 0x20, 0x10.
    ///   - mask: A masking key, which a server must not use.
    static func write(
        _ opcode: UInt8,
        _ payload: some Collection<UInt8>,
        isFinal: Bool = true,
        reserved: UInt8 = 0,
        mask: [UInt8]? = nil,
        to buffer: inout ByteBuffer
    ) {
        buffer.writeInteger((isFinal ? 0x80 : 0) | reserved | opcode)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ...125:
            buffer.writeInteger(maskBit | UInt8(payload.count))
        case ...Int(UInt16.max):
            buffer.writeInteger(maskBit | 126)
            buffer.writeInteger(UInt16(payload.count))
        default:
            buffer.writeInteger(maskBit | 127)
            buffer.writeInteger(UInt64(payload.count))
        }
        if let mask {
            buffer.writeBytes(mask)
            buffer.writeBytes(payload.enumerated().map { $1 ^ mask[$0 % mask.count] })
        } else {
            buffer.writeBytes(payload)
        }
    }

    /// The payload of a close frame.
    static func closePayload(code: UInt16, reason: String) -> [UInt8] {
        [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8.prefix(123))
    }
}
