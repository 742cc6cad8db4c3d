/// The bytes that the buffers of all connections together may hold (`--buffer-limit`).
///
/// A message is reserved before it is put into a buffer and released when it leaves it, published
/// or dropped. One budget for each process; the owner guards it.
package struct BufferBudget: Sendable, Hashable {
    package enum Reservation: Sendable, Hashable {
        case granted
        /// Full at the moment; ask again after ``release(_:)`` said so.
        case refused
        /// More than the whole budget: it can never be granted.
        case neverFits
    }

    package let limit: Int
    package private(set) var used = 0
    /// Reservations refused since the start.
    package private(set) var refusals: UInt64 = 0
    private var hasWaiting = false

    /// - Parameter limit: In bytes; 0 or more.
    package init(limit: Int) {
        precondition(limit >= 0, "a negative buffer limit")
        self.limit = limit
    }

    package mutating func reserve(_ bytes: Int) -> Reservation {
        precondition(bytes >= 0, "a negative reservation")
        guard bytes <= limit else { return .neverFits }
        guard bytes <= limit - used else {
            refusals += 1
            hasWaiting = true
            return .refused
        }
        used += bytes
        return .granted
    }

    /// Gives bytes back.
    ///
    /// - Returns: True, once, when those who were refused should ask again: the budget has fallen
    ///   below seven eighths, so that waking them is worth while.
    package mutating func release(_ bytes: Int) -> Bool {
        precondition(bytes >= 0 && bytes <= used, "more released than was reserved")
        used -= bytes
        guard hasWaiting, used <= limit - limit / 8 else { return false }
        hasWaiting = false
        return true
    }
}
