/// Where an heir goes on in its buffer, by what the old owner says it published last.
package enum DigestMatch: Sendable, Hashable {
    /// Drop so many frames from the front: the old owner published them.
    case exact(drop: Int)
    /// Drop all that is there, and of what comes these, as long as they come in this order: the old
    /// owner has read further, and published them (decision 0048).
    case behind(drop: Int, pending: [UInt64])
    /// The frames fit at more than one place: publish everything.
    case ambiguous
    /// They fit nowhere: publish everything.
    case none

    /// Fewer equal frames in a row than this prove nothing.
    package static let fewestFrames = 3

    /// Looks for the longest suffix of `published` that occurs in `buffered`; if there is none, for
    /// all of `buffered` inside `published`.
    ///
    /// A run of frames counts if it has ``fewestFrames`` and occurs at one place only. It may be cut
    /// short by the front of the list it is looked for in, which began later.
    package init(published: [UInt64], buffered: [UInt64]) {
        switch Place(ofSuffixOf: published, in: buffered) {
        case .one(let end, _): self = .exact(drop: end)
        case .several: self = .ambiguous
        case .none:
            switch Place(ofSuffixOf: buffered, in: published) {
            case .one(let end, let length) where length == min(end, buffered.count):
                self = .behind(drop: buffered.count, pending: Array(published[end...]))
            case .several: self = .ambiguous
            case .one, .none: self = .none
            }
        }
    }

    package var dropped: Int {
        switch self {
        case .exact(let drop), .behind(let drop, _): drop
        case .ambiguous, .none: 0
        }
    }

    package var pending: [UInt64] {
        if case .behind(_, let pending) = self { pending } else { [] }
    }
}

/// Where the longest suffix of one list of digests occurs in another.
private enum Place {
    case one(end: Int, length: Int)
    case several
    case none

    init(ofSuffixOf frames: [UInt64], in list: [UInt64]) {
        var longest = 0
        var ends: [Int] = []
        for last in list.indices {
            var length = 0
            while length < frames.count, length <= last,
                frames[frames.count - 1 - length] == list[last - length]
            {
                length += 1
            }
            guard length > 0, length >= longest else { continue }
            if length > longest { ends.removeAll() }
            longest = length
            ends.append(last + 1)
        }
        guard longest >= DigestMatch.fewestFrames, let end = ends.first else {
            self = .none
            return
        }
        self = ends.count == 1 ? .one(end: end, length: longest) : .several
    }
}

/// Frames that the owner before has published and that this instance's socket is still to bring.
package struct PendingFrames: Sendable {
    private var digests: ArraySlice<UInt64>

    /// `nil` if nothing is pending.
    package init?(_ match: DigestMatch) {
        guard !match.pending.isEmpty else { return nil }
        digests = match.pending[...]
    }

    package var isEmpty: Bool { digests.isEmpty }

    /// Whether this frame is the next of them. The first that is not ends the waiting.
    package mutating func takes(_ digest: UInt64) -> Bool {
        guard digests.first == digest else {
            digests = []
            return false
        }
        digests.removeFirst()
        return true
    }
}

/// What the old owner of a shard tells its heir of one connection.
package struct ConnectionDigests: Sendable, Hashable {
    /// Frames kept for the match.
    package static let longest = 256

    package var name: String
    package var uid: UInt64
    package var lastSequence: UInt64
    /// Of the last frames published, oldest first.
    package var frames: [UInt64]

    package init(name: String, uid: UInt64, lastSequence: UInt64, frames: [UInt64]) {
        self.name = name
        self.uid = uid
        self.lastSequence = lastSequence
        self.frames = frames
    }
}
