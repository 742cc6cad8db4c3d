import ManagerAPI

/// The place of a message in a topic, as the `id` of a server-sent event: `epoch.position`.
///
/// Positions begin anew with each life of the server, which has an epoch of its own. A position
/// alone is taken for one of this life.
struct TopicMark: Sendable, Hashable, CustomStringConvertible {
    /// 0 is not known.
    var epoch: UInt64
    var position: UInt64

    init(_ message: Wsm_V1_TopicMessage) {
        epoch = message.epoch
        position = message.position
    }

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let position = UInt64(parts[parts.count - 1]) else {
            return nil
        }
        guard parts.count == 2 else {
            (epoch, self.position) = (0, position)
            return
        }
        guard let epoch = UInt64(parts[0]) else { return nil }
        (self.epoch, self.position) = (epoch, position)
    }

    var description: String { "\(epoch).\(position)" }

    /// What follows the marked message begins with one that cannot have come after it.
    func isOfAnotherLife(than next: Wsm_V1_TopicMessage) -> Bool {
        (epoch != 0 && epoch != next.epoch) || next.position <= position
    }
}
