@testable import WebSocket

/// Feeds a decoder in pieces and keeps what comes out.
enum Decoding {
    static func decode(
        _ pieces: [[UInt8]],
        maxMessageSize: Int = 1 << 20,
        pastCaches: Bool = false,
        leavingUpTo most: Int = 0
    ) -> FrameBatch {
        var decoder = FrameDecoder(maxMessageSize: maxMessageSize)
        decoder.copiesPastCaches = pastCaches
        var batch = FrameBatch()
        var left: [UInt8] = []
        for piece in pieces {
            left += piece
            let taken = left.withUnsafeBytes {
                decoder.decode($0, into: &batch, leavingUpTo: most)
            }
            left.removeFirst(taken)
        }
        // What was left to come again comes with nothing behind it.
        left.withUnsafeBytes { _ = decoder.decode($0, into: &batch) }
        return batch
    }

    static func whole(_ bytes: [UInt8], maxMessageSize: Int = 1 << 20) -> FrameBatch {
        Self.decode([bytes], maxMessageSize: maxMessageSize)
    }

    /// The ways to feed an input: whole, byte by byte, split in two at every place and, when it is
    /// short, split in three at every two places.
    static func splits(of bytes: [UInt8]) -> [[[UInt8]]] {
        var ways = [[bytes], bytes.map { [$0] }]
        guard bytes.count <= 400 else { return ways }
        for first in 0...bytes.count {
            ways.append([Array(bytes[..<first]), Array(bytes[first...])])
            guard bytes.count <= 24 else { continue }
            for second in first...bytes.count {
                ways.append([
                    Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...]),
                ])
            }
        }
        return ways
    }
}

/// How messages lie in segments depends on how the bytes were cut, and means nothing.
extension FrameBatch: Equatable {
    init(
        messages: [WebSocketMessage], controls: [Control] = [], end: End? = nil
    ) {
        self.init(segments: messages.map(MessageSegment.init), controls: controls, end: end)
    }

    var messages: [WebSocketMessage] { self.segments.messages }

    static func == (left: FrameBatch, right: FrameBatch) -> Bool {
        left.messages == right.messages && left.controls == right.controls
            && left.end == right.end
    }

    var failure: WebSocketError.Code? {
        if case .failure(let error) = self.end { error.code } else { nil }
    }

    var texts: [String] { self.messages.map { String(decoding: $0.payload, as: UTF8.self) } }
}
