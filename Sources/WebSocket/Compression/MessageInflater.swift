/// The receiving half of permessage-deflate on one connection (RFC 7692, 7.2.2).
///
/// The state is made with the first compressed message. `rest` gives it back: all of it where the
/// server refers to nothing earlier, all but the window where it may. Confined to its loop; the
/// decoder drives it, the handler lets it rest.
final class MessageInflater {
    /// What the sender cut off each message (RFC 7692, 7.2.1).
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    private let keepsContext: Bool
    private let windowBits: Int
    private var stream: InflateStream?
    /// The window of a stream that rests.
    private var window: [UInt8] = []
    private var isMidMessage = false
    /// Whether a message was inflated since this was last set to false.
    var wasUsed = false

    init(_ agreement: CompressionAgreement) {
        self.keepsContext = agreement.serverKeepsContext
        self.windowBits = agreement.serverWindowBits
    }

    /// Inflates a part of a message. After an error the connection is of no use.
    func inflate(
        _ bytes: UnsafeRawBufferPointer,
        _ take: (UnsafeRawBufferPointer) throws(WebSocketError) -> Void
    ) throws(WebSocketError) {
        self.isMidMessage = true
        self.wasUsed = true
        try self.awake().inflate(bytes, take)
    }

    /// Ends a message, of which something may be left to inflate.
    func finish(
        _ take: (UnsafeRawBufferPointer) throws(WebSocketError) -> Void
    ) throws(WebSocketError) {
        let stream = try self.awake()
        // `withUnsafeBytes` does not carry the type of the error through.
        let result = Self.tail.withUnsafeBytes { tail in
            Result { () throws(WebSocketError) in try stream.inflate(tail, take) }
        }
        try result.get()
        guard stream.isBetweenBlocks else {
            throw .compression("a compressed message ends within a block")
        }
        if !self.keepsContext { stream.reset() }
        self.isMidMessage = false
        self.wasUsed = true
    }

    /// Gives memory back, unless a message is on its way.
    func rest() {
        guard !self.isMidMessage, let stream = self.stream.take() else { return }
        if self.keepsContext { self.window = stream.window }
    }

    /// Whether there is something to give back.
    var isAwake: Bool { self.stream != nil }

    private func awake() throws(WebSocketError) -> InflateStream {
        if let stream = self.stream { return stream }
        let stream = try InflateStream(windowBits: self.windowBits)
        if !self.window.isEmpty { stream.restore(window: self.window) }
        self.window = []
        self.stream = stream
        return stream
    }
}

extension WebSocketError {
    static func compression(_ message: String) -> WebSocketError {
        WebSocketError(.badCompression, message)
    }
}
