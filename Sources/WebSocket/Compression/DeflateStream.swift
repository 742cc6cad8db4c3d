import CZlib

/// One stream of zlib's deflate, raw DEFLATE as RFC 7692 uses it.
///
/// Costs 262 KiB at 15 bits, 136 KiB at 9. Confined to its loop.
final class DeflateStream {
    /// zlib's own middle between time and size.
    private static let level: Int32 = 6
    private static let memoryLevel: Int32 = 8
    private static let pieceSize = 16 * 1024

    /// zlib keeps the address, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// Nil when there is no memory for it.
    /// - Parameter windowBits: 8-15. zlib has no window of 8 bits for raw DEFLATE: then it looks back
    ///   by one byte only, which fits every window.
    init?(windowBits: Int) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = deflateInit2_(
            stream, Self.level, Z_DEFLATED, -Int32(max(windowBits, 9)), Self.memoryLevel,
            windowBits < 9 ? Z_RLE : Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            stream.deallocate()
            return nil
        }
        self.stream = stream
    }

    deinit {
        deflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Deflates a whole message and flushes, so that the output ends with an empty block.
    /// - Parameter limit: The most bytes of output worth having.
    /// - Returns: Nil beyond the limit; the stream must be reset then.
    func deflate(_ input: UnsafeRawBufferPointer, limit: Int) -> [UInt8]? {
        guard let count = UInt32(exactly: input.count) else { return nil }
        let bytes = input.bindMemory(to: UInt8.self)
        self.stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
        self.stream.pointee.avail_in = count
        defer { self.stream.pointee.next_in = nil }
        var output: [UInt8] = []
        while true {
            let piece = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
                self.stream.pointee.next_out = buffer.baseAddress
                self.stream.pointee.avail_out = UInt32(buffer.count)
                _ = CZlib.deflate(self.stream, Z_SYNC_FLUSH)
                count = buffer.count - Int(self.stream.pointee.avail_out)
            }
            guard output.count + piece.count <= limit else { return nil }
            if output.isEmpty { output = piece } else { output.append(contentsOf: piece) }
            if self.stream.pointee.avail_out > 0 { return output }
        }
    }

    /// Forgets what was deflated.
    func reset() {
        deflateReset(self.stream)
    }
}
