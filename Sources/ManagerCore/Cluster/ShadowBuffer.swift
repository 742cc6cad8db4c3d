internal import DequeModule

/// What a shadow connection has read: frames that the owner of the shard publishes too, until the
/// shard comes over.
///
/// Without a hole inside: frames go from the front, or all together. What was read before the
/// socket dropped must be thrown away by ``removeAll()``, since what the remote sent between two
/// sockets is in no buffer (decision 0028).
package struct ShadowBuffer: Sendable {
    /// Frames of one kind that came in one read, their payloads back to back.
    package struct Block: Sendable {
        package var isText: Bool
        package var time: WallTime
        package var bytes: [UInt8]
        /// Where each payload ends in ``bytes``.
        package var ends: [Int]

        package init(isText: Bool, time: WallTime, bytes: [UInt8], ends: [Int]) {
            self.isText = isText
            self.time = time
            self.bytes = bytes
            self.ends = ends
        }

        /// What it counts for in buffers.
        package var cost: Int { bytes.count + ends.count * OutboundEvent.overhead }

        func payload(_ index: Int) -> Range<Int> {
            (index == 0 ? 0 : ends[index - 1])..<ends[index]
        }

        mutating func removeFirst(_ count: Int) {
            let start = ends[count - 1]
            bytes.removeFirst(start)
            ends = ends[count...].map { $0 - start }
        }
    }

    private var blocks = Deque<Block>()
    private var digests = Deque<UInt64>()
    package private(set) var held = MessageAmount()

    package init() {}

    package var count: Int { held.messages }

    /// Enough frames to find the place among what the owner published (decision 0024).
    package var canMatch: Bool { count > DigestMatch.fewestFrames }

    package func isFull(_ bounds: MessageAmount) -> Bool {
        held.messages >= bounds.messages || held.bytes >= bounds.bytes
    }

    package mutating func append(_ block: Block) {
        guard !block.ends.isEmpty else { return }
        block.bytes.withUnsafeBytes { bytes in
            for index in block.ends.indices {
                digests.append(
                    FrameDigest.of(
                        UnsafeRawBufferPointer(rebasing: bytes[block.payload(index)]),
                        isText: block.isText))
            }
        }
        held.messages += block.ends.count
        held.bytes += block.cost
        blocks.append(block)
    }

    /// - Returns: how much room that made.
    @discardableResult
    package mutating func removeFirst(_ count: Int) -> MessageAmount {
        let before = held
        var left = min(count, self.count)
        digests.removeFirst(left)
        while left > 0, let block = blocks.first {
            if block.ends.count <= left {
                blocks.removeFirst()
                held.messages -= block.ends.count
                held.bytes -= block.cost
                left -= block.ends.count
            } else {
                blocks[0].removeFirst(left)
                held.messages -= left
                held.bytes -= block.cost - blocks[0].cost
                left = 0
            }
        }
        return MessageAmount(
            messages: before.messages - held.messages, bytes: before.bytes - held.bytes)
    }

    package mutating func removeAll() -> MessageAmount { removeFirst(count) }

    /// Removes the oldest until no bound is passed.
    package mutating func shrink(to bounds: MessageAmount) -> MessageAmount {
        var removed = MessageAmount()
        while held.messages > bounds.messages || held.bytes > bounds.bytes, count > 1 {
            let surplus = max(1, held.messages - bounds.messages)
            let part = removeFirst(surplus)
            removed.messages += part.messages
            removed.bytes += part.bytes
        }
        return removed
    }

    /// Where the owner's last frames stand in here.
    package func match(_ published: [UInt64]) -> DigestMatch {
        DigestMatch(published: published, buffered: Array(digests))
    }

    /// Removes what the owner has published already, but for as much as a later match needs.
    package mutating func trim(_ published: [UInt64]) -> MessageAmount {
        removeFirst(max(0, match(published).dropped - ConnectionDigests.longest))
    }

    /// Takes out what is left, in order.
    package mutating func takeAll() -> [Block] {
        defer {
            blocks.removeAll()
            digests.removeAll()
            held = MessageAmount()
        }
        return Array(blocks)
    }
}
