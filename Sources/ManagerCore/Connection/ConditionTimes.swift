/// The statuses of a connection's conditions as last computed, in their order, and since when each
/// is so.
///
/// Nearly all came about at the same two moments, so each moment is kept once, and of each condition
/// one byte: what a list of pairs takes is five times as much, for every connection.
package struct ConditionTimes: Sendable, Hashable {
    /// How many conditions there may be.
    private static let limit = 8
    private static let statuses: [Condition.Status] = [.yes, .no, .unknown]

    /// A byte for each condition, the first lowest: the place of its moment, times four, and of its
    /// status.
    private var places: UInt64 = 0
    private var first = WallTime(nanosecondsSinceEpoch: 0)
    private var second = WallTime(nanosecondsSinceEpoch: 0)
    /// The moments after the second.
    private var others: [WallTime] = []
    private var count: UInt8 = 0
    private var momentCount: UInt8 = 0

    package init() {}

    /// Adds the next condition.
    package mutating func append(_ condition: Condition.Since) {
        precondition(count < Self.limit, "a byte has no room")
        let status =
            switch condition.status {
            case .yes: 0
            case .no: 1
            case .unknown: 2
            }
        let place = place(of: condition.time) << 2 | status
        places |= UInt64(place) << (8 * UInt64(count))
        count += 1
    }

    /// Of a condition by its place; `nil` if it was not computed yet.
    package subscript(index: Int) -> Condition.Since? {
        guard index < count else { return nil }
        let place = Int(places >> (8 * UInt64(index)) & 0xFF)
        return Condition.Since(status: Self.statuses[place & 3], time: moment(place >> 2))
    }

    private func moment(_ place: Int) -> WallTime {
        switch place {
        case 0: first
        case 1: second
        default: others[place - 2]
        }
    }

    private mutating func place(of time: WallTime) -> Int {
        for place in 0..<Int(momentCount) where moment(place) == time { return place }
        defer { momentCount += 1 }
        switch momentCount {
        case 0: first = time
        case 1: second = time
        default: others.append(time)
        }
        return Int(momentCount)
    }
}
