/// Collects the head of the answer to a handshake from the bytes of the socket, and not one more.
struct ResponseReader: Sendable {
    private var head: [UInt8] = []
    /// Bytes since the last line feed, carriage returns aside.
    private var lineLength = 0
    /// The bytes of all heads so far: informational answers count against the same bound.
    private var total = 0

    /// Takes the next bytes up to the end of the head.
    ///
    /// Informational answers other than 101 are passed over (RFC 9110, 15.2).
    /// - Returns: How many of the bytes belong to the head, and the head once it is complete: what
    ///   comes after is frames.
    mutating func read(
        _ bytes: UnsafeRawBufferPointer
    ) throws(HandshakeFailure) -> (consumed: Int, head: ResponseHead?) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(where: { self.endsHead($0) }).map { $0 + 1 }
            let part = rest[..<(end ?? rest.endIndex)]
            self.total += part.count
            guard self.total <= WebSocketLimits.responseHead else {
                throw .badHandshake(
                    "the answer's head is larger than \(WebSocketLimits.responseHead) bytes")
            }
            self.head.append(contentsOf: part)
            rest = rest[part.endIndex...]
            guard end != nil else { break }
            let head = try ResponseHead(parsing: self.head)
            self.head = []
            self.lineLength = 0
            let isInformational = (100..<200).contains(head.status) && head.status != 101
            if !isInformational { return (part.endIndex, head) }
        }
        return (bytes.count, nil)
    }

    private mutating func endsHead(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\n"):
            defer { self.lineLength = 0 }
            return self.lineLength == 0
        case UInt8(ascii: "\r"):
            return false
        default:
            self.lineLength += 1
            return false
        }
    }
}
