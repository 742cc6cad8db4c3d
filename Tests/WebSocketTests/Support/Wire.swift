/// Builds a server's frames, right or wrong, byte by byte.
enum Wire {
    static func frame(
        _ opcode: UInt8,
        _ payload: [UInt8] = [],
        fin: Bool = true,
        reserved: UInt8 = 0,
        mask: Bool = false
    ) -> [UInt8] {
        let first = (fin ? 0x80 : 0) | reserved | opcode
        let maskBit: UInt8 = mask ? 0x80 : 0
        var bytes: [UInt8] = [first]
        switch payload.count {
        case ...125: bytes.append(maskBit | UInt8(payload.count))
        case ...65_535:
            bytes += [maskBit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            bytes.append(maskBit | 127)
            bytes += Self.bigEndian(UInt64(payload.count))
        }
        if mask { bytes += [0, 0, 0, 0] }
        return bytes + payload
    }

    static func text(_ text: String, fin: Bool = true) -> [UInt8] {
        Self.frame(1, Array(text.utf8), fin: fin)
    }

    static func close(_ code: UInt16, _ reason: String = "") -> [UInt8] {
        Self.frame(8, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
    }

    static func bigEndian(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) }
    }

    /// Takes a client's frame apart: fin, opcode, payload unmasked, bytes used.
    static func parseClient(
        _ bytes: [UInt8]
    ) -> (fin: Bool, opcode: UInt8, payload: [UInt8], size: Int)? {
        guard bytes.count >= 6, bytes[1] & 0x80 != 0 else { return nil }
        var length = Int(bytes[1] & 0x7F)
        var position = 2
        if length >= 126 {
            let size = length == 126 ? 2 : 8
            guard bytes.count >= 2 + size + 4 else { return nil }
            length = bytes[2..<(2 + size)].reduce(0) { $0 << 8 | Int($1) }
            position += size
        }
        let key = bytes[position..<(position + 4)].map { $0 }
        position += 4
        guard bytes.count >= position + length else { return nil }
        let payload = bytes[position..<(position + length)].enumerated()
            .map { $1 ^ key[$0 % 4] }
        return (bytes[0] & 0x80 != 0, bytes[0] & 0x0F, payload, position + length)
    }
}
