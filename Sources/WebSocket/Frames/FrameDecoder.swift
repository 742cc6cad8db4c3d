/// Turns the bytes from a server into messages and control frames, to the letter of RFC 6455.
///
/// The decoder knows nothing of sockets: it is fed whatever a read brought, down to single bytes,
/// and parses in place; only the bytes of payloads are copied, once. Messages that are wholly in
/// one read share its segment; a message costs no allocation of its own. After a close frame or a
/// failure it reads nothing.
///
///     var decoder = FrameDecoder(maxMessageSize: 1 << 20)
///     decoder.decode(bytes, into: &batch)
struct FrameDecoder {
    /// A message of which part has arrived. An object, for a connection mostly has none.
    final class Assembly {
        let kind: WebSocketOpcode
        /// What inflates it, when it is compressed.
        let inflater: MessageInflater?
        /// Bytes of payload as they were on the wire.
        var wireBytes = 0
        /// The bound that was in force when the message began.
        let limit: Int
        var payload: [UInt8] = []
        var utf8 = UTF8Validator()

        init(kind: WebSocketOpcode, inflater: MessageInflater?, limit: Int) {
            self.kind = kind
            self.inflater = inflater
            self.limit = limit
        }
    }

    /// A frame of which part has arrived.
    private enum UnfinishedFrame {
        /// The beginning of its header.
        case header([UInt8])
        case payload(OpenFrame)
    }

    /// A frame whose payload is being read.
    private struct OpenFrame {
        let header: FrameHeader
        /// Bytes of payload that are to come.
        var remaining: Int
        /// What came of a control frame's payload.
        var control: [UInt8] = []

        init(_ header: FrameHeader) {
            self.header = header
            self.remaining = header.length
        }
    }

    /// The largest message in bytes; a change holds from the next message on.
    var maxMessageSize: Int
    /// Inflates compressed messages; nil where none are agreed on.
    var inflater: MessageInflater?

    /// Nil between frames, as a connection mostly is.
    @Apart private var unfinished: UnfinishedFrame? = nil
    /// The message begun; between its fragments there may be no frame or a control frame.
    var assembly: Assembly?
    /// Whether long rows of messages are copied past the processor's caches.
    var copiesPastCaches = false
    private(set) var hasEnded = false

    init(maxMessageSize: Int) {
        self.maxMessageSize = maxMessageSize
    }

    /// Whether the bytes so far end within a frame.
    var isMidFrame: Bool { self.unfinished != nil }

    /// Takes the next bytes and adds to `batch` what they complete.
    ///
    /// - Parameter most: A frame that the input has only the beginning of is left to come again with
    ///   its end if it is of so many bytes at most.
    /// - Returns: Bytes taken; those behind the end of the connection count.
    @discardableResult
    mutating func decode(
        _ input: UnsafeRawBufferPointer,
        into batch: inout FrameBatch,
        leavingUpTo most: Int = 0
    ) -> Int {
        do {
            var position = 0
            while position < input.count, !self.hasEnded {
                if self.unfinished == nil, self.assembly == nil {
                    try self.takeWholeMessages(input, &position, &batch.segments)
                    guard position < input.count else { break }
                    let rest = UnsafeRawBufferPointer(rebasing: input[position...])
                    if try self.isBeginning(rest, ofUpTo: most) { return position }
                }
                try self.takeFrame(input, &position, &batch)
            }
        } catch {
            self.hasEnded = true
            self.assembly = nil
            batch.end = .failure(error)
        }
        return input.count
    }

    /// Whether these bytes are the beginning of one frame of so many bytes at most.
    private func isBeginning(
        _ bytes: UnsafeRawBufferPointer,
        ofUpTo most: Int
    ) throws(WebSocketError) -> Bool {
        guard bytes.count < most else { return false }
        guard let header = try FrameHeader.parse(bytes, compression: self.inflater != nil) else {
            return true
        }
        return header.length <= most - header.size && header.length > bytes.count - header.size
    }

    /// Goes on with the frame that is unfinished, or begins the next.
    private mutating func takeFrame(
        _ input: UnsafeRawBufferPointer,
        _ position: inout Int,
        _ batch: inout FrameBatch
    ) throws(WebSocketError) {
        var beginning: [UInt8] = []
        switch self.unfinished.take() {
        case .payload(let frame): return try self.takePayload(of: frame, input, &position, &batch)
        case .header(let bytes): beginning = bytes
        case nil: break
        }
        guard let header = try self.readHeader(after: beginning, input, &position) else { return }
        try self.check(header)
        try self.takePayload(of: OpenFrame(header), input, &position, &batch)
    }

    /// Checks a header against what went before.
    private func check(_ header: FrameHeader) throws(WebSocketError) {
        switch header.opcode {
        case .close, .ping, .pong:
            break
        case .continuation:
            guard let assembly = self.assembly else {
                throw .violation("continuation of no message")
            }
            try assembly.check(header.length)
        case .text, .binary:
            guard self.assembly == nil else {
                throw .violation("new message within a fragmented one")
            }
            try self.newAssembly(header).check(header.length)
        }
    }

    /// - Parameter beginning: what came of it before.
    private mutating func readHeader(
        after beginning: [UInt8],
        _ input: UnsafeRawBufferPointer,
        _ position: inout Int
    ) throws(WebSocketError) -> FrameHeader? {
        if beginning.isEmpty {
            let rest = UnsafeRawBufferPointer(rebasing: input[position...])
            if let header = try FrameHeader.parse(rest, compression: self.inflater != nil) {
                position &+= header.size
                return header
            }
            self.unfinished = .header(Array(rest))
            position = input.count
            return nil
        }
        var bytes = beginning
        while position < input.count {
            bytes.append(input[position])
            position &+= 1
            if let header = try Self.parse(bytes, self.inflater != nil) { return header }
        }
        self.unfinished = .header(bytes)
        return nil
    }

    /// `withUnsafeBytes` does not carry the type of the error through.
    private static func parse(
        _ bytes: [UInt8],
        _ compression: Bool
    ) throws(WebSocketError) -> FrameHeader? {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(WebSocketError) in
                try FrameHeader.parse(bytes, compression: compression)
            }
        }
        return try result.get()
    }
}

// MARK: - Payloads

extension FrameDecoder {
    /// Takes what the input has of the frame's payload, and ends the frame when that is all.
    private mutating func takePayload(
        of frame: OpenFrame,
        _ input: UnsafeRawBufferPointer,
        _ position: inout Int,
        _ batch: inout FrameBatch
    ) throws(WebSocketError) {
        var frame = frame
        let header = frame.header
        let count = min(frame.remaining, input.count &- position)
        let bytes = UnsafeRawBufferPointer(rebasing: input[position..<(position &+ count)])
        position &+= count
        frame.remaining &-= count
        if header.opcode.isControl {
            frame.control.append(contentsOf: bytes)
        } else {
            try self.assemble(bytes, of: header)
        }
        guard frame.remaining == 0 else {
            self.unfinished = .payload(frame)
            return
        }
        if header.opcode.isControl {
            try self.finishControl(header.opcode, frame.control, &batch)
        } else if header.isFinal {
            try self.finishMessage(&batch)
        }
    }

    /// Adds to the message begun, or begins one.
    private mutating func assemble(
        _ bytes: UnsafeRawBufferPointer,
        of header: FrameHeader
    ) throws(WebSocketError) {
        let assembly = self.assembly ?? self.newAssembly(header)
        if self.assembly == nil {
            assembly.payload.reserveCapacity(min(header.length, WebSocketLimits.payloadReserve))
            self.assembly = assembly
        }
        if assembly.inflater != nil {
            try assembly.inflate(bytes)
            return
        }
        if assembly.kind == .text {
            guard assembly.utf8.consume(bytes) else { throw .textIsNotUTF8 }
        }
        assembly.payload.append(contentsOf: bytes)
    }

    private mutating func finishMessage(_ batch: inout FrameBatch) throws(WebSocketError) {
        if self.assembly?.inflater != nil {
            try self.finishCompressed(&batch)
            return
        }
        guard let assembly = self.assembly.take() else { return }
        guard assembly.utf8.isComplete else { throw .textIsNotUTF8 }
        batch.segments.append(
            MessageSegment(WebSocketMessage(kind: assembly.kind, payload: assembly.payload)))
    }

    private mutating func finishControl(
        _ opcode: FrameHeader.Opcode,
        _ payload: [UInt8],
        _ batch: inout FrameBatch
    ) throws(WebSocketError) {
        switch opcode {
        case .ping: batch.controls.append(.ping(payload))
        case .pong: batch.controls.append(.pong(payload))
        case .close:
            batch.end = .close(try CloseFrame(parsing: payload))
            self.hasEnded = true
        case .continuation, .text, .binary:
            preconditionFailure("\(opcode) is not a control frame")
        }
    }
}

extension WebSocketError {
    static let textIsNotUTF8 = WebSocketError(.invalidUTF8, "text is not UTF-8")
}
