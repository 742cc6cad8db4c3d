import NIOCore

/// Cuts what a peer sends into frames of HTTP/2 (RFC 9113, 4.1).
struct FrameReader {
    struct Frame {
        /// `nil`: of a kind that must be passed over.
        var kind: HTTP2.FrameKind?
        var flags: HTTP2.Flags
        var stream: UInt32
        var payload: ByteBuffer
    }

    private let limit: Int
    private var bytes = ByteBuffer()

    /// - Parameter limit: Of the payload of a frame, in bytes.
    init(limit: Int = HTTP2.frameBytes) {
        self.limit = limit
    }

    mutating func append(_ part: ByteBuffer) {
        guard bytes.readableBytes > 0 else {
            bytes = part
            return
        }
        bytes.writeImmutableBuffer(part)
    }

    /// - Returns: `nil` until a frame is whole.
    /// - Throws: a fault of code `frameSize` if it is larger than we take.
    mutating func next() throws(HTTP2.Fault) -> Frame? {
        guard
            let (head, flags, stream) = bytes.peekMultipleIntegers(
                as: (UInt32, UInt8, UInt32).self)
        else {
            letGo()
            return nil
        }
        let length = Int(head >> 8)
        guard length <= limit else {
            throw HTTP2.Fault(.frameSize, "sent a frame of \(length) bytes, or no HTTP/2 at all")
        }
        guard bytes.readableBytes >= HTTP2.frameHeaderBytes + length else { return nil }
        bytes.moveReaderIndex(forwardBy: HTTP2.frameHeaderBytes)
        guard let payload = bytes.readSlice(length: length) else { return nil }
        return Frame(
            kind: HTTP2.FrameKind(rawValue: UInt8(truncatingIfNeeded: head)),
            flags: HTTP2.Flags(rawValue: flags), stream: stream & 0x7FFF_FFFF, payload: payload)
    }

    /// The buffer of a read goes back to the channel as soon as nothing of it is needed.
    private mutating func letGo() {
        if bytes.readableBytes == 0 { bytes = ByteBuffer() }
    }
}

extension FrameReader.Frame {
    /// Takes padding and priority out of DATA and HEADERS (6.1, 6.2).
    mutating func removePadding() throws(HTTP2.Fault) {
        var padding = 0
        if flags.contains(.padded) {
            guard let count = payload.readInteger(as: UInt8.self) else { throw Self.tooShort }
            padding = Int(count)
        }
        if kind == .headers, flags.contains(.priority) {
            guard payload.readSlice(length: 5) != nil else { throw Self.tooShort }
        }
        guard padding <= payload.readableBytes else {
            throw HTTP2.Fault(.protocolError, "sent more padding than its frame has")
        }
        payload.moveWriterIndex(to: payload.writerIndex - padding)
    }

    /// The number of 32 bits that RST_STREAM, WINDOW_UPDATE and GOAWAY begin with (6.4, 6.8, 6.9).
    func firstWord() throws(HTTP2.Fault) -> UInt32 {
        guard let word = payload.getInteger(at: payload.readerIndex, as: UInt32.self) else {
            throw Self.tooShort
        }
        return word
    }

    static var tooShort: HTTP2.Fault { HTTP2.Fault(.frameSize, "sent a frame that is too short") }
}
