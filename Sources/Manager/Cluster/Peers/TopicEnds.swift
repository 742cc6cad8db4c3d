import Access
import GRPCCore
import ManagerAPI
import ManagerCore

/// Asks members how far a topic has come with them.
struct TopicEnds: Sendable {
    /// For an answer. A subscription begins when all have answered, so it is soon.
    static let timeout: Duration = .seconds(1)

    let topic: String
    let reads: MemberReads
    /// This instance's own end.
    let here: @Sendable () -> Wsm_V1_GetTopicEndResponse

    /// Where the streams of the members begin that only want what comes from now on.
    struct Begin: Sendable {
        var members: [ClusterPeer] = []
        var stands: [String: TopicMerge.Stand] = [:]

        /// Members that did not say: theirs begins when their stream is open.
        var silent: [String] { members.map(\.instance).filter { stands[$0] == nil } }
    }

    /// - Returns: `nil` where the member does not say.
    func end(of peer: ClusterPeer) async -> Wsm_V1_GetTopicEndResponse? {
        if peer.isMe { return here() }
        var asked = Wsm_V1_GetTopicEndRequest()
        asked.topic = topic
        let answer: PeerCalls.Answer<Wsm_V1_GetTopicEndResponse>? = try? await reads.calls.unary(
            asked, Wsm_V1_Peer.Method.GetTopicEnd.descriptor, at: peer.address, hop: Hop(),
            timeout: Self.timeout)
        return answer?.message
    }

    /// Of all members, all at once: whatever is published after this returned is behind it.
    func now() async -> Begin {
        let members = reads.cluster.members
        return await withTaskGroup(of: (String, Wsm_V1_GetTopicEndResponse?).self) { group in
            for peer in members {
                group.addTask { (peer.instance, await end(of: peer)) }
            }
            var begin = Begin(members: members)
            for await (instance, end) in group {
                begin.stands[instance] = end.map {
                    TopicMerge.Stand(life: $0.life, position: $0.position)
                }
            }
            return begin
        }
    }
}

extension Wsm_V1_TopicMark {
    init(_ instance: String, _ stand: TopicMerge.Stand) {
        self.init()
        (self.instance, life, position) = (instance, stand.life, stand.position)
    }
}

extension TopicMerge.Stand {
    init(_ mark: Wsm_V1_TopicMark) {
        self.init(life: mark.life, position: mark.position)
    }
}
