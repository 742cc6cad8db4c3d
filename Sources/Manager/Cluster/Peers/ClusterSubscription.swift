import Access
import GRPCCore
import ManagerAPI
import ManagerCore
import Synchronization

/// One subscription to a topic at all members.
struct ClusterSubscription: Sendable {
    typealias Streams = MemberStreams<Wsm_V1_SubscribeRequest, Wsm_V1_SubscribeResponse>
    /// Messages of a connection's new owner wait for those of the former one no longer than this.
    static let longestWait: Duration = .seconds(5)

    let request: Wsm_V1_SubscribeRequest
    let reads: MemberReads
    let ends: TopicEnds
    let here: Streams.Here
    let now: @Sendable () -> Moment

    /// Messages that wait for others.
    private struct Held {
        var delivery: Streams.Channel.Delivery
        var peer: ClusterPeer
        var response: Wsm_V1_SubscribeResponse
        var ends: [String: Wsm_V1_GetTopicEndResponse]
        var since: Moment
    }

    /// Only what comes from now on is wanted.
    var isFromNow: Bool {
        switch request.start {
        case .newest, .unspecified, .UNRECOGNIZED: true
        case .oldest, .after: false
        }
    }

    /// Where it begins at each member. What is published at any of them after this returned is in
    /// the subscription, unless the member is silent.
    func begin() async -> TopicEnds.Begin {
        isFromNow ? await ends.now() : TopicEnds.Begin(members: reads.cluster.members)
    }

    func run(
        from begin: TopicEnds.Begin, _ response: RPCWriter<Wsm_V1_SubscribeResponse>,
        _ context: ServerContext
    ) async throws {
        // Where a stream is opened anew it goes on after what came.
        let stands = Mutex(begin.stands)
        let first = Set(begin.members.map(\.instance))
        let streams = Streams(
            cluster: reads.cluster, calls: reads.calls,
            request: { peer in
                request(
                    of: peer, after: stands.withLock { $0[peer.instance] },
                    isLate: !first.contains(peer.instance) && !peer.isMe)
            }, here: here)
        var merge = TopicMerge(stands: begin.stands)
        var open: [String: ClusterPeer] = [:]
        var held: [Held] = []
        try await streams.run(context) { delivery, channel in
            var isDone = true
            switch delivery.element {
            case .opened(let peer): open[peer.instance] = peer
            case .ended(let peer): open[peer.instance] = nil
            case .tick: break
            case .message(let peer, let message):
                let ends = await ends(before: message, from: peer, merge, open)
                if ends.isEmpty {
                    try await tell(merge.received(message, from: peer.instance), response)
                } else {
                    isDone = false
                    held.append(
                        Held(
                            delivery: delivery, peer: peer, response: message, ends: ends,
                            since: now()))
                }
            }
            for waiting in held where isOver(waiting, merge, open) {
                try await tell(
                    merge.received(waiting.response, from: waiting.peer.instance), response)
                channel.release(waiting.delivery)
            }
            held.removeAll { isOver($0, merge, open) }
            stands.withLock { $0 = merge.stands }
            return isDone
        }
    }

    private func tell(
        _ message: Wsm_V1_SubscribeResponse, _ response: RPCWriter<Wsm_V1_SubscribeResponse>
    ) async throws {
        guard !message.messages.isEmpty || message.missed > 0 else { return }
        try await response.write(message)
    }

    private func isOver(
        _ held: Held, _ merge: TopicMerge, _ open: [String: ClusterPeer]
    ) -> Bool {
        held.since.duration(to: now()) > Self.longestWait
            || held.ends.allSatisfy { member, end in
                open[member] == nil
                    || merge.hasReached(end.position, life: end.life, of: member)
            }
    }

    /// Up to where other streams have to come before this message may go out. A member that does not
    /// say is not waited for.
    private func ends(
        before message: Wsm_V1_SubscribeResponse, from peer: ClusterPeer, _ merge: TopicMerge,
        _ open: [String: ClusterPeer]
    ) async -> [String: Wsm_V1_GetTopicEndResponse] {
        var ends: [String: Wsm_V1_GetTopicEndResponse] = [:]
        for member in merge.predecessors(of: message, from: peer.instance) {
            guard let former = open[member], let end = await self.ends.end(of: former),
                !merge.hasReached(end.position, life: end.life, of: member)
            else { continue }
            ends[member] = end
        }
        return ends
    }

    /// - Parameter isLate: it became a member since; all that it holds is new.
    private func request(
        of peer: ClusterPeer, after stand: TopicMerge.Stand?, isLate: Bool
    ) -> Wsm_V1_SubscribeRequest {
        var asked = request
        (asked.afterPosition, asked.afterEpoch) = (0, 0)
        asked.after = request.after.filter { $0.instance == peer.instance }
        if let stand { asked.after = [Wsm_V1_TopicMark(peer.instance, stand)] }
        if !asked.after.isEmpty {
            asked.start = .after
        } else if request.start == .after || isLate {
            asked.start = .oldest
        }
        return asked
    }
}
