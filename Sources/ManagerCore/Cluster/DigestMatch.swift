/// Where an heir goes on in its buffer, by what the old owner says it published last.
package enum DigestMatch: Sendable, Hashable {
    /// Drop so many frames from the front: the old owner published them.
    case exact(drop: Int)
    /// The frames fit at more than one place: publish everything.
    case ambiguous
    /// They fit nowhere: publish everything.
    case none

    /// Fewer equal frames in a row than this prove nothing.
    package static let fewestFrames = 3

    /// Looks for the longest suffix of `published` that occurs in `buffered`.
    ///
    /// A suffix counts if it has ``fewestFrames`` and occurs at one place only. It may be cut
    /// short by the front of the buffer, which began later than what was published.
    package init(published: [UInt64], buffered: [UInt64]) {
        var longest = 0
        var places: [Int] = []
        for end in buffered.indices {
            var length = 0
            while length < published.count, length <= end,
                published[published.count - 1 - length] == buffered[end - length]
            {
                length += 1
            }
            guard length > 0, length >= longest else { continue }
            if length > longest { places.removeAll() }
            longest = length
            places.append(end)
        }
        guard longest >= Self.fewestFrames, let place = places.first else {
            self = .none
            return
        }
        self = places.count == 1 ? .exact(drop: place + 1) : .ambiguous
    }

    package var dropped: Int {
        if case .exact(let drop) = self { drop } else { 0 }
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
