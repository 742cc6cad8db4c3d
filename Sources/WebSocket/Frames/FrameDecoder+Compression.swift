// Compressed messages (RFC 7692): inflated as their bytes come, checked before they are kept.

extension FrameDecoder {
    /// A message of which nothing has arrived but this header.
    func newAssembly(_ header: FrameHeader) -> Assembly {
        Assembly(
            kind: header.opcode == .text ? .text : .binary,
            inflater: header.isCompressed ? self.inflater : nil, limit: self.maxMessageSize)
    }

    /// Ends a compressed message. Small ones of one kind share a segment, as those do that came
    /// uncompressed.
    mutating func finishCompressed(_ batch: inout FrameBatch) throws(WebSocketError) {
        guard let assembly = self.assembly.take() else { return }
        try assembly.finishInflating()
        guard assembly.utf8.isComplete else { throw .textIsNotUTF8 }
        let last = batch.segments.count - 1
        guard last >= 0, batch.segments[last].kind == assembly.kind,
            batch.segments[last].bytes.count + assembly.payload.count
                <= WebSocketLimits.sharedSegment
        else {
            batch.segments.append(
                MessageSegment(WebSocketMessage(kind: assembly.kind, payload: assembly.payload)))
            return
        }
        assembly.payload.withUnsafeBytes { batch.segments[last].append($0) }
    }
}

extension FrameDecoder.Assembly {
    /// Checks the size of a frame that goes on with this message, before anything is allocated.
    func check(_ length: Int) throws(WebSocketError) {
        let isCompressed = self.inflater != nil
        let room =
            isCompressed
            ? WebSocketLimits.compressedSize(limit: self.limit) - self.wireBytes
            : self.limit - self.payload.count
        guard length <= room else { throw .tooBig(self.limit) }
    }

    func inflate(_ bytes: UnsafeRawBufferPointer) throws(WebSocketError) {
        self.wireBytes += bytes.count
        guard let inflater = self.inflater else { return }
        try inflater.inflate(bytes) { (piece) throws(WebSocketError) in try self.take(piece) }
    }

    func finishInflating() throws(WebSocketError) {
        guard let inflater = self.inflater else { return }
        try inflater.finish { (piece) throws(WebSocketError) in try self.take(piece) }
    }

    /// Keeps a piece of the message: the one place where an inflated byte is stored.
    ///
    /// Of two faults the first byte's is told, so that it does not depend on how the bytes were cut.
    private func take(_ piece: UnsafeRawBufferPointer) throws(WebSocketError) {
        let room = min(piece.count, self.limit - self.payload.count)
        if self.kind == .text {
            let kept = UnsafeRawBufferPointer(rebasing: piece[..<room])
            guard self.utf8.consume(kept) else { throw .textIsNotUTF8 }
        }
        guard room == piece.count else { throw .tooBig(self.limit) }
        self.payload.append(contentsOf: piece)
    }
}

extension WebSocketError {
    fileprivate static func tooBig(_ limit: Int) -> WebSocketError {
        WebSocketError(.messageTooBig, "message larger than \(limit) bytes")
    }
}
