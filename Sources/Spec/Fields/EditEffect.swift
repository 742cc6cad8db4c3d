/// What an edit of a field does to a live socket. Of several edits at once the strongest wins.
package enum EditEffect: Int, Comparable, Sendable, Hashable, CaseIterable {
    /// Applied in place, at once; the socket is never touched.
    case keep
    /// Used from the next dial or the next timer on; the socket is not touched.
    case next
    /// Needs a new socket.
    case reopen
    /// The socket is closed and not replaced.
    case close

    /// The word the reference and the plan use.
    package var word: String {
        switch self {
        case .keep: "keep"
        case .next: "next"
        case .reopen: "reopen"
        case .close: "close"
        }
    }

    /// What the word means, as part of a sentence.
    package var meaning: String {
        switch self {
        case .keep: "applied in place, at once; the socket is never touched"
        case .next: "used from the next dial or next timer on; the socket is not touched"
        case .reopen: "needs a new socket"
        case .close: "the socket is closed and not replaced"
        }
    }

    package static func < (left: EditEffect, right: EditEffect) -> Bool {
        left.rawValue < right.rawValue
    }
}
