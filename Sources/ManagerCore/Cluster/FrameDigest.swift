internal import DequeModule

/// Stands for one frame in the match of a hand-over: the same in every instance, and cheap.
///
/// Multiply and fold, eight bytes at a time. Not for secrets and not against an adversary: a remote
/// that makes two frames collide harms its own feed alone.
package enum FrameDigest {
    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15

    package static func of(_ payload: UnsafeRawBufferPointer, isText: Bool) -> UInt64 {
        var digest = UInt64(payload.count) &* 2 &+ (isText ? 1 : 0)
        var place = 0
        while place + 8 <= payload.count {
            let word = UInt64(
                littleEndian: payload.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            digest = fold(digest, word)
            place += 8
        }
        var rest: UInt64 = 0
        while place < payload.count {
            rest = rest << 8 | UInt64(payload[place])
            place += 1
        }
        return fold(fold(digest, rest), factor)
    }

    private static func fold(_ digest: UInt64, _ word: UInt64) -> UInt64 {
        let (high, low) = (digest &+ factor ^ word).multipliedFullWidth(by: factor)
        return high ^ low ^ word
    }
}

/// What a connection published last, for the heir of its shard.
package struct RecentFrames: Sendable {
    private var frames: Deque<UInt64>
    /// Of the last event that has left the queue for the bus; 0 before the first under this title.
    package private(set) var lastSequence: UInt64 = 0

    /// - Parameter earlier: what the owner before published last, oldest first: a shard that moves on
    ///   before its connections have published much is followed all the same.
    package init(after earlier: [UInt64] = []) {
        frames = Deque(earlier.suffix(ConnectionDigests.longest))
    }

    /// Oldest first, at most ``ConnectionDigests/longest``.
    package var digests: [UInt64] { Array(frames) }

    /// The bus has taken these, or refused them for good.
    package mutating func published(_ runs: [EventRun]) {
        var left = runs.reduce(0) { $0 + $1.count }
        for run in runs {
            // Of a large batch only the end can matter.
            let first = max(0, left - ConnectionDigests.longest)
            for index in min(first, run.count)..<run.count { add(run, at: index) }
            left -= run.count
        }
    }

    package mutating func published(_ run: EventRun, at index: Int) {
        add(run, at: index)
    }

    private mutating func add(_ run: EventRun, at index: Int) {
        if frames.count == ConnectionDigests.longest { frames.removeFirst() }
        lastSequence = run.id(at: index).sequence
        frames.append(
            run.block.payload.withUnsafeBytes {
                FrameDigest.of(
                    UnsafeRawBufferPointer(rebasing: $0[run.payloadRange(at: index)]),
                    isText: run.block.kind == .text)
            })
    }
}
