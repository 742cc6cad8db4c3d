/// Builds a server's frames, right or wrong, byte by byte.
package enum ServerFrame {
    package static let continuation: UInt8 = 0
    package static let text: UInt8 = 1
    package static let binary: UInt8 = 2
    package static let close: UInt8 = 8
    package static let ping: UInt8 = 9
    package static let pong: UInt8 = 10

    /// - Parameter reserved: The three reserved bits as a number, 0-7; the first is 4.
    package static func bytes(
        _ opcode: UInt8,
        _ payload: [UInt8] = [],
        fin: Bool = true,
        reserved: UInt8 = 0
    ) -> [UInt8] {
        let first = (fin ? 0x80 : 0) | reserved << 4 | opcode
        var bytes: [UInt8] = [first]
        bytes.reserveCapacity(payload.count + 10)
        switch payload.count {
        case ...125:
            bytes.append(UInt8(payload.count))
        case ...0xFFFF:
            bytes += [126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            bytes.append(127)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return bytes + payload
    }

    package static func close(_ code: UInt16, _ reason: [UInt8] = []) -> [UInt8] {
        Self.bytes(Self.close, [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
    }

    /// One message in frames of at most `size` bytes of payload.
    package static func fragments(
        _ opcode: UInt8,
        _ payload: [UInt8],
        of size: Int,
        isCompressed: Bool = false
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        var start = 0
        repeat {
            let end = min(start + size, payload.count)
            bytes += Self.bytes(
                start == 0 ? opcode : Self.continuation, Array(payload[start..<end]),
                fin: end == payload.count, reserved: isCompressed && start == 0 ? 4 : 0)
            start = end
        } while start < payload.count
        return bytes
    }
}

/// A frame from a client, unmasked.
package struct ClientFrame: Sendable, Hashable {
    package var fin: Bool
    /// 0-7; the first reserved bit is 4.
    package var reserved: UInt8
    package var opcode: UInt8
    package var payload: [UInt8]

    package var isControl: Bool { self.opcode & 8 != 0 }
}

/// Reads a client's frames and is as strict as a server must be (RFC 6455, 5.1-5.5).
package struct ClientFrameReader: Sendable {
    /// What a client did against the RFC.
    package struct Violation: Error {
        package var message: String
    }

    private var buffer: [UInt8] = []
    private var position = 0

    package init() {}

    package mutating func append(_ bytes: some Sequence<UInt8>) {
        if self.position > 0 {
            self.buffer.removeFirst(self.position)
            self.position = 0
        }
        self.buffer.append(contentsOf: bytes)
    }

    /// The next whole frame.
    package mutating func next() throws(Violation) -> ClientFrame? {
        let rest = self.buffer[self.position...]
        guard rest.count >= 2 else { return nil }
        let (first, second) = (rest[rest.startIndex], rest[rest.startIndex + 1])
        guard second & 0x80 != 0 else { throw Violation(message: "a frame is not masked") }
        guard let (length, size) = try Self.length(Int(second & 0x7F), rest) else { return nil }
        guard rest.count >= size + 4 + length else { return nil }
        let start = rest.startIndex + size
        let key = Array(rest[start..<(start + 4)])
        let payload = Self.unmasked(Array(rest[(start + 4)..<(start + 4 + length)]), key)
        self.position = start + 4 + length
        let frame = ClientFrame(
            fin: first & 0x80 != 0, reserved: first >> 4 & 7, opcode: first & 0x0F,
            payload: payload)
        try Self.check(frame)
        return frame
    }

    private static func length(
        _ short: Int,
        _ bytes: ArraySlice<UInt8>
    ) throws(Violation) -> (length: Int, size: Int)? {
        guard short >= 126 else { return (short, 2) }
        let count = short == 126 ? 2 : 8
        guard bytes.count >= 2 + count else { return nil }
        let start = bytes.startIndex + 2
        let length = bytes[start..<(start + count)].reduce(0) { $0 << 8 | Int($1) }
        guard length > (short == 126 ? 125 : 0xFFFF) else {
            throw Violation(message: "a length is not in its shortest form")
        }
        return (length, 2 + count)
    }

    private static func check(_ frame: ClientFrame) throws(Violation) {
        guard [0, 1, 2, 8, 9, 10].contains(frame.opcode) else {
            throw Violation(message: "opcode \(frame.opcode)")
        }
        guard !frame.isControl || (frame.fin && frame.payload.count <= 125) else {
            throw Violation(message: "a control frame is fragmented or too long")
        }
        guard frame.reserved & 3 == 0, frame.reserved == 0 || [1, 2].contains(frame.opcode) else {
            throw Violation(message: "reserved bits \(frame.reserved)")
        }
    }

    /// A word at a time: byte by byte, 16 MiB would take seconds in a debug build.
    private static func unmasked(_ payload: [UInt8], _ key: [UInt8]) -> [UInt8] {
        var payload = payload
        let word = key.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let wide = UInt64(word) << 32 | UInt64(word)
        let whole = payload.count / 8 * 8
        payload.withUnsafeMutableBytes { bytes in
            var index = 0
            while index < whole {
                let value = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                bytes.storeBytes(
                    of: (value.littleEndian ^ wide).littleEndian, toByteOffset: index,
                    as: UInt64.self)
                index += 8
            }
        }
        for index in whole..<payload.count { payload[index] ^= key[index & 3] }
        return payload
    }
}
