/// Whole messages of one kind that came one after the other, their payloads back to back.
///
/// What one read brings is one allocation of bytes and one of places, however many messages it
/// holds; a message that came in several reads is a segment of its own, and not copied again.
package struct MessageSegment: Sendable, Hashable {
    package let kind: WebSocketOpcode
    /// Of a text segment, each payload is valid UTF-8.
    package private(set) var bytes: [UInt8]
    /// Where each payload ends in ``bytes``; the next begins there. Never empty once handed over.
    package private(set) var ends: [Int]

    /// One message; its payload is taken over.
    package init(_ message: WebSocketMessage) {
        self.kind = message.kind
        self.bytes = message.payload
        self.ends = [message.payload.count]
    }

    /// - Parameter ends: Where each payload ends in `bytes`; at least one.
    package init(kind: WebSocketOpcode, bytes: [UInt8], ends: [Int]) {
        self.kind = kind
        self.bytes = bytes
        self.ends = ends
    }

    package var count: Int { self.ends.count }

    /// A copy of each message.
    package var messages: [WebSocketMessage] {
        var start = 0
        return self.ends.map { end in
            defer { start = end }
            return WebSocketMessage(kind: self.kind, payload: Array(self.bytes[start..<end]))
        }
    }

    mutating func append(_ payload: UnsafeRawBufferPointer) {
        self.bytes.append(contentsOf: payload)
        self.ends.append(self.bytes.count)
    }
}

extension [MessageSegment] {
    /// A copy of each message, in order.
    package var messages: [WebSocketMessage] { self.flatMap(\.messages) }

    package var messageCount: Int { self.reduce(0) { $0 + $1.count } }
}
