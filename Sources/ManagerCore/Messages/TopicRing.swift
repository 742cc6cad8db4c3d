internal import DequeModule

/// The latest messages of one topic, for subscribers that come late or are slow.
///
/// Each message gets a position, from 1 up, without holes. The ring holds at most so many messages
/// and bytes and forgets the oldest; a reader that wants what is forgotten is told how much it has
/// missed. The latest message is always held, even one that is larger than the whole bound.
/// Readers keep their own position; the ring knows none of them, so none can slow it.
package struct TopicRing<Message: Sendable>: Sendable {
    /// Where a subscriber begins.
    package enum Start: Sendable, Hashable {
        /// With the next message that is appended.
        case newest
        /// With the oldest message held.
        case oldest
        /// With the message after this position, the last one it has seen.
        case after(UInt64)
    }

    package enum Read: Sendable {
        /// In order; empty if there is nothing new. Read again from `next`.
        case messages([Message], next: UInt64)
        /// So many are forgotten; go on from `next`. With `missed` 0 the position lies in the
        /// future, as after a restart of the process: how much is missing is not known.
        case gap(missed: UInt64, next: UInt64)
    }

    package static var defaultMessages: Int { 10_000 }
    /// 16 MiB.
    package static var defaultBytes: Int { 16 << 20 }

    private let maxMessages: Int
    private let maxBytes: Int
    private var messages = Deque<Message>()
    /// Of each message; beside them, so that summing up touches no message.
    private var sizes = Deque<Int>()
    /// The position of the oldest message held, or of the next one if none is.
    package private(set) var oldestPosition: UInt64 = 1
    package private(set) var bytes = 0

    package init(
        maxMessages: Int = Self.defaultMessages, maxBytes: Int = Self.defaultBytes
    ) {
        precondition(maxMessages >= 1 && maxBytes >= 1, "a ring that holds nothing")
        self.maxMessages = maxMessages
        self.maxBytes = maxBytes
    }

    package var count: Int { messages.count }

    /// The position of the latest message; 0 before the first.
    package var newestPosition: UInt64 { oldestPosition + UInt64(messages.count) - 1 }

    /// Adds a message.
    ///
    /// - Returns: Its position.
    @discardableResult
    package mutating func append(_ message: Message, bytes: Int) -> UInt64 {
        precondition(bytes >= 0, "a message of negative size")
        messages.append(message)
        sizes.append(bytes)
        self.bytes += bytes
        while messages.count > maxMessages || (self.bytes > maxBytes && messages.count > 1) {
            messages.removeFirst()
            self.bytes -= sizes.removeFirst()
            oldestPosition += 1
        }
        return newestPosition
    }

    /// The first position a subscriber reads.
    package func position(for start: Start) -> UInt64 {
        switch start {
        case .newest: newestPosition + 1
        case .oldest: oldestPosition
        case .after(let position): position == .max ? .max : position + 1
        }
    }

    /// Reads from a position on: as many as the limits allow, but at least one if there is one.
    package func read(from position: UInt64, maxCount: Int, maxBytes: Int) -> Read {
        // Position 0 is before the first message, not one of them.
        let position = max(1, position)
        guard position >= oldestPosition else {
            return .gap(missed: oldestPosition - position, next: oldestPosition)
        }
        guard position <= newestPosition + 1 else { return .gap(missed: 0, next: oldestPosition) }
        let start = Int(position - oldestPosition)
        var end = start
        var bytes = 0
        while end < sizes.count,
            end == start || (end - start < maxCount && sizes[end] <= maxBytes - bytes)
        {
            bytes += sizes[end]
            end += 1
        }
        return .messages(Array(messages[start..<end]), next: position + UInt64(end - start))
    }
}
