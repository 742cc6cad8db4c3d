import CZlib

/// One stream of zlib's inflate, raw DEFLATE as RFC 7692 uses it.
///
/// Costs 7 KiB and, from the first byte inflated on, the window (32 KiB at 15 bits). Confined to its
/// loop.
final class InflateStream {
    /// The output of one step. Large enough that a message of common size is one step, small enough
    /// that a bomb is found out early.
    static let pieceSize = 16 * 1024

    /// Parts of zlib's `data_type`.
    private static let betweenBlocks: Int32 = 128
    private static let unusedBits: Int32 = 63

    /// zlib keeps the address, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter windowBits: The sender's, 8-15.
    init(windowBits: Int) throws(WebSocketError) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // zlib 1.2.8 and older compress with 9 bits where they announced 8.
        let bits = Int32(max(windowBits, 9))
        let code = inflateInit2_(
            stream, -bits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            stream.deallocate()
            throw .noMemoryToInflate
        }
        self.stream = stream
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// Inflates all of `input` and hands over what comes of it, piece by piece.
    ///
    /// A block marked as the last ends nothing: what follows begins another, in the same window
    /// (RFC 7692, 7.2.3.4).
    /// - Parameter take: Called with at most `pieceSize` bytes at a time; what it throws ends it all.
    func inflate(
        _ input: UnsafeRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) throws(WebSocketError) -> Void
    ) throws(WebSocketError) {
        // `withUnsafeTemporaryAllocation` does not carry the type of the error through.
        let result = withUnsafeTemporaryAllocation(byteCount: Self.pieceSize, alignment: 16) {
            piece in
            Result { () throws(WebSocketError) in try self.run(input, piece, take) }
        }
        try result.get()
    }

    private func run(
        _ input: UnsafeRawBufferPointer,
        _ piece: UnsafeMutableRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) throws(WebSocketError) -> Void
    ) throws(WebSocketError) {
        var rest = input
        repeat {
            // zlib counts in 32 bits.
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
            let bytes = part.bindMemory(to: UInt8.self)
            self.stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            self.stream.pointee.avail_in = UInt32(part.count)
            while try self.step(piece, take) {}
        } while !rest.isEmpty
        self.stream.pointee.next_in = nil
    }

    /// Fills the piece once.
    /// - Returns: Whether there is more to come of the input.
    private func step(
        _ piece: UnsafeMutableRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) throws(WebSocketError) -> Void
    ) throws(WebSocketError) -> Bool {
        self.stream.pointee.next_out = piece.bindMemory(to: UInt8.self).baseAddress
        self.stream.pointee.avail_out = UInt32(piece.count)
        let code = CZlib.inflate(self.stream, Z_SYNC_FLUSH)
        let produced = piece.count - Int(self.stream.pointee.avail_out)
        if produced > 0 { try take(UnsafeRawBufferPointer(rebasing: piece[..<produced])) }
        switch code {
        case Z_OK:
            return self.stream.pointee.avail_in > 0 || produced == piece.count
        case Z_BUF_ERROR:
            return false
        case Z_STREAM_END:
            // Keeps the window, and costs the same however large that is.
            inflateResetKeep(self.stream)
            self.stream.pointee.data_type = Self.betweenBlocks
            return self.stream.pointee.avail_in > 0
        case Z_MEM_ERROR:
            throw .noMemoryToInflate
        default:
            throw .compression("a compressed message is no DEFLATE data")
        }
    }

    /// Whether the bytes so far end between two blocks, at the end of a byte.
    var isBetweenBlocks: Bool {
        let type = self.stream.pointee.data_type
        return type & Self.betweenBlocks != 0 && type & Self.unusedBits == 0
    }

    /// Forgets what was inflated.
    func reset() {
        inflateReset(self.stream)
    }

    /// What later blocks may refer to: at most the window.
    var window: [UInt8] {
        var size: UInt32 = 0
        inflateGetDictionary(self.stream, nil, &size)
        return [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            inflateGetDictionary(self.stream, buffer.baseAddress, &size)
            count = Int(size)
        }
    }

    /// Puts a window back; between two blocks only.
    func restore(window: [UInt8]) {
        inflateSetDictionary(self.stream, window, UInt32(window.count))
    }
}

extension WebSocketError {
    fileprivate static let noMemoryToInflate = compression("no memory to inflate with")
}
