import ManagerAPI

/// Puts the streams of one topic of all members together so that the order of each connection is
/// kept. Pure.
///
/// Where a connection changes its owner, the former one has published its last message before the
/// new one publishes its first. So the new one's messages wait until the former one's stream has
/// come as far as its topic had when they were seen.
struct TopicMerge: Sendable {
    /// How far the stream of a member has come.
    struct Stand: Sendable, Hashable {
        var life: UInt64
        var position: UInt64
    }

    private(set) var stands: [String: Stand]
    /// Who published the last message of each connection, and under which epoch.
    private var last: [String: (member: String, epoch: UInt64)] = [:]

    /// - Parameter stands: where the streams begin.
    init(stands: [String: Stand] = [:]) {
        self.stands = stands
    }

    /// Members whose messages have to come before these: they had a connection of them before.
    func predecessors(of response: Wsm_V1_SubscribeResponse, from member: String) -> Set<String> {
        var found: Set<String> = []
        var seen: Set<String> = []
        for message in response.messages where seen.insert(message.connection).inserted {
            guard let before = last[message.connection], before.member != member,
                before.epoch < message.epoch
            else { continue }
            found.insert(before.member)
        }
        return found
    }

    /// Takes a message of a member's stream.
    ///
    /// - Returns: What goes to the caller: with the place of each message, and without those that
    ///   came before, since a stream that is opened anew may repeat some.
    mutating func received(
        _ response: Wsm_V1_SubscribeResponse, from member: String
    ) -> Wsm_V1_SubscribeResponse {
        if response.hasMark {
            stands[member] = Stand(life: response.mark.life, position: response.mark.position)
        }
        var told = response
        told.clearMark()
        let stand = stands[member]
        told.messages = response.messages.compactMap { message in
            if let stand, message.position <= stand.position { return nil }
            var message = message
            message.instance = member
            message.life = stand?.life ?? 0
            return message
        }
        for message in told.messages {
            let epoch = last[message.connection]?.epoch ?? 0
            if message.epoch >= epoch {
                last[message.connection] = (member, message.epoch)
            }
        }
        if let newest = told.messages.last?.position { stands[member]?.position = newest }
        return told
    }

    func hasReached(_ position: UInt64, life: UInt64, of member: String) -> Bool {
        guard let stand = stands[member], stand.life == life else { return true }
        return stand.position >= position
    }
}
