internal import ManagerAPI

/// Pieces of text about a connection that several reports share.
enum ConnectionText {
    /// ` (attempt 4, next in 3s)`; empty where no attempt is counted.
    ///
    /// - Parameter now: Unix seconds.
    static func attempt(_ object: Wsm_V1_Object, now: Int64) -> String {
        var parts: [String] = []
        if object.attempt > 0 { parts.append("attempt \(object.attempt)") }
        if let next = nextAttempt(object, now: now) { parts.append("next \(next)") }
        return parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
    }

    /// `in 3s`, or `now` where it is due; `nil` where none is planned.
    static func nextAttempt(_ object: Wsm_V1_Object, now: Int64) -> String? {
        guard object.nextAttemptAt > 0, !object.stalled else { return nil }
        return time(max(object.nextAttemptAt, now), now: now)
    }

    /// `in 3s`, `now` or `3s ago`.
    static func time(_ unixSeconds: Int64, now: Int64) -> String {
        let distance = unixSeconds - now
        if distance == 0 { return "now" }
        return distance > 0
            ? "in \(TimeText.age(seconds: distance))" : "\(TimeText.age(seconds: -distance)) ago"
    }
}
