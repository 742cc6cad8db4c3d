/// What a caller may do.
package enum Role: String, Sendable, Hashable, Comparable, CaseIterable {
    /// Look: get, list, watch, events, topics, metrics.
    case read
    /// Everything.
    case admin

    package static func < (left: Role, right: Role) -> Bool {
        left == .read && right == .admin
    }
}
