import CCopy

/// Unfragmented messages of one kind that lie in a read one after the other: the common case, and
/// the only one that has to be fast.
///
/// The headers are read twice, first to learn how much to allocate, then to copy; a header costs two
/// nanoseconds and an allocation twenty. A stretch is as long as a segment may be.
private struct Stretch {
    var kind: WebSocketOpcode
    var messages = 0
    /// Bytes of all payloads.
    var payload = 0

    @inline(__always)
    func hasRoom(for frame: WholeFrame) -> Bool {
        frame.kind == self.kind && self.messages < WebSocketLimits.segmentMessages
            && (self.messages == 0
                || frame.payload.count <= WebSocketLimits.segmentBytes &- self.payload)
    }

    /// Whether copying it past the caches is worth it.
    var isLong: Bool {
        self.payload >= WebSocketLimits.rowPastCaches
            && self.payload / self.messages >= WebSocketLimits.messagePastCaches
    }
}

/// A data frame that is whole, final and not compressed, by its place in the input.
private struct WholeFrame {
    var kind: WebSocketOpcode
    var payload: Range<Int>

    /// - Returns: Nil if anything else begins at `position`, or a frame that is refused: the header
    ///   is read again then, with care, and what is wrong is said.
    @inline(__always)
    init?(_ input: UnsafeRawBufferPointer, at position: Int, maxPayload: Int) {
        let available = input.count &- position
        guard available >= 2 else { return nil }
        switch input[position] {
        case 0x81: self.kind = .text
        case 0x82: self.kind = .binary
        default: return nil
        }
        var size = 2
        var length = Int(input[position &+ 1])
        if length == 126 {
            guard available >= 4 else { return nil }
            size = 4
            length = Int(
                UInt16(
                    bigEndian: input.loadUnaligned(
                        fromByteOffset: position &+ 2, as: UInt16.self)))
            guard length > 125 else { return nil }
        } else if length > 126 {
            guard length == 127, available >= 10 else { return nil }
            size = 10
            let wide = UInt64(
                bigEndian: input.loadUnaligned(fromByteOffset: position &+ 2, as: UInt64.self))
            guard wide > UInt16.max, wide <= UInt64(maxPayload) else { return nil }
            length = Int(truncatingIfNeeded: wide)
        }
        guard length <= maxPayload, length <= available &- size else { return nil }
        let start = position &+ size
        self.payload = Range(uncheckedBounds: (start, start &+ length))
    }
}

extension FrameDecoder {
    /// Takes the messages that are wholly in the input. Stops before anything else.
    func takeWholeMessages(
        _ input: UnsafeRawBufferPointer,
        _ position: inout Int,
        _ segments: inout [MessageSegment]
    ) throws(WebSocketError) {
        while let stretch = self.measure(input, from: position) {
            let segment = self.copy(stretch, input, &position)
            if segment.count > 0 { segments.append(segment) }
            guard segment.count == stretch.messages else { throw .textIsNotUTF8 }
        }
    }

    private func measure(_ input: UnsafeRawBufferPointer, from position: Int) -> Stretch? {
        let limit = self.maxMessageSize
        guard let first = WholeFrame(input, at: position, maxPayload: limit) else { return nil }
        var stretch = Stretch(kind: first.kind)
        var frame: WholeFrame? = first
        while let whole = frame, stretch.hasRoom(for: whole) {
            stretch.messages &+= 1
            stretch.payload &+= whole.payload.count
            frame = WholeFrame(input, at: whole.payload.upperBound, maxPayload: limit)
        }
        return stretch
    }

    /// Copies payloads, up to a text that is not UTF-8; `position` is behind the last one then.
    private func copy(
        _ stretch: Stretch,
        _ input: UnsafeRawBufferPointer,
        _ position: inout Int
    ) -> MessageSegment {
        let limit = self.maxMessageSize
        let isPastCaches = self.copiesPastCaches && stretch.isLong
        defer { if isPastCaches { wsm_copy_done() } }
        var end = position
        var ends: [Int] = []
        let bytes = [UInt8](unsafeUninitializedCapacity: stretch.payload) { bytes, filled in
            ends = [Int](unsafeUninitializedCapacity: stretch.messages) { ends, count in
                while count < stretch.messages,
                    let frame = WholeFrame(input, at: end, maxPayload: limit)
                {
                    let payload = UnsafeRawBufferPointer(rebasing: input[frame.payload])
                    let place = UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(bytes)[filled...])
                    let isASCII =
                        isPastCaches
                        ? UTF8Validator.copyASCIIPastCaches(payload, to: place)
                        : UTF8Validator.copyASCII(payload, to: place)
                    guard isASCII || stretch.kind != .text || Self.isUTF8(payload) else { return }
                    filled &+= payload.count
                    ends.initializeElement(at: count, to: filled)
                    count &+= 1
                    end = frame.payload.upperBound
                }
            }
        }
        position = end
        return MessageSegment(kind: stretch.kind, bytes: bytes, ends: ends)
    }

    private static func isUTF8(_ payload: UnsafeRawBufferPointer) -> Bool {
        var utf8 = UTF8Validator()
        return utf8.consume(payload) && utf8.isComplete
    }
}
