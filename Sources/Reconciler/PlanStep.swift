package import ManagerCore
import Spec

/// What the loop does for one connection, with the reason a person is shown.
package enum PlanStep: Sendable, Hashable {
    /// No socket, and one is due.
    case open
    /// The socket is out of date; it is closed, then dialled at once, outside the back-off.
    case reopen(ReopenReason)
    /// The socket stays; the new spec is put in force.
    case update
    /// A socket no record asks for.
    case close
    /// An entry without a record and without a socket is forgotten.
    case release
    /// The first dial of an unanswered Connect failed: its record goes.
    case discard
    /// The first dial of an unanswered Connect is open: its record becomes a real one.
    case confirm
    /// As it should be, or on its way there.
    case keep
    /// Nothing until an edit, a `restart` or a missing thing turns up.
    case blocked(StallReason)
    /// Nothing before this moment: the back-off's.
    case wait(until: Moment)

    package enum ReopenReason: Sendable, Hashable {
        /// A field changed that needs a new socket.
        case edited
        /// The name was deleted and used again.
        case replaced
    }
}

/// Every step that is not `keep`, sorted by name. Empty means converged.
package struct Plan: Sendable, Hashable {
    package struct Entry: Sendable, Hashable {
        package var name: String
        package var step: PlanStep
    }

    package var entries: [Entry] = []
    /// The earliest moment at which a waiting step is due.
    package var followUpAt: Moment?

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }
}
