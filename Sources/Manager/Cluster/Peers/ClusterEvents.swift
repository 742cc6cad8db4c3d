import Access
import GRPCCore
import ManagerAPI
import ManagerCore
import Spec
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The lifecycle events of all members.
struct ClusterEvents: Sendable {
    typealias Streams = MemberStreams<Wsm_V1_EventsRequest, Wsm_V1_EventsResponse>
    /// Events of one message.
    static let eventsPerMessage = 500

    let request: Wsm_V1_EventsRequest
    let reads: MemberReads
    let here: Streams.Here

    /// What comes, until the caller leaves.
    func follow(
        from begin: TopicEnds.Begin, _ response: RPCWriter<Wsm_V1_EventsResponse>,
        _ context: ServerContext
    ) async throws {
        let marks = Mutex(begin.stands)
        let first = Set(begin.members.map(\.instance))
        let request = request
        let streams = Streams(
            cluster: reads.cluster, calls: reads.calls,
            request: { peer in
                var asked = request
                if let mark = marks.withLock({ $0[peer.instance] }) {
                    asked.after = Wsm_V1_TopicMark(peer.instance, mark)
                } else if !first.contains(peer.instance), !peer.isMe {
                    // It became a member since: all that it holds is new.
                    asked.replay = true
                }
                return asked
            }, here: here)
        try await streams.run(context) { delivery, _ in
            guard case .message(let peer, var message) = delivery.element else { return true }
            if message.hasMark {
                let mark = TopicMerge.Stand(message.mark)
                marks.withLock { $0[peer.instance] = mark }
                message.clearMark()
            }
            if !message.cloudevents.isEmpty || message.missed > 0 {
                try await response.write(message)
            }
            return true
        }
    }

    /// What is held now, in the order of time.
    func held(
        _ response: RPCWriter<Wsm_V1_EventsResponse>, _ context: ServerContext
    ) async throws {
        let events = Mutex<[(time: String, event: Data)]>([])
        let missed = Mutex<UInt64>(0)
        let take: @Sendable (Wsm_V1_EventsResponse) -> Void = { message in
            missed.withLock { $0 += message.missed }
            let timed = message.cloudevents.map { (Self.time(of: $0), $0) }
            events.withLock { $0 += timed }
        }
        let own = try await here(ServerRequest(metadata: [:], message: request), context)
        _ = try await own.accepted.get().producer(RPCWriter(wrapping: Collector(take: take)))
        await withDiscardingTaskGroup { group in
            for peer in reads.cluster.members where !peer.isMe {
                group.addTask {
                    // A member that does not answer has no events to show.
                    try? await reads.calls.stream(
                        request, Wsm_V1_Orchestrator.Method.Events.descriptor, at: peer.address
                    ) { take($0) }
                }
            }
        }
        // Stable, so that events of one instance and time keep their order.
        let sorted = events.withLock { $0 }.enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }.map(\.element.event)
        var message = Wsm_V1_EventsResponse()
        message.missed = missed.withLock { $0 }
        for start in stride(from: 0, to: sorted.count, by: Self.eventsPerMessage) {
            message.cloudevents = Array(
                sorted[start..<min(start + Self.eventsPerMessage, sorted.count)])
            try await response.write(message)
            message.missed = 0
        }
        if message.missed > 0 { try await response.write(message) }
    }

    /// RFC 3339 in UTC sorts as text; the server writes all its times alike.
    private static func time(of event: Data) -> String {
        guard case .string(let time)? = (try? JSONValue.parse([UInt8](event)))?["time"] else {
            return ""
        }
        return time
    }

    private struct Collector: RPCWriterProtocol {
        let take: @Sendable (Wsm_V1_EventsResponse) -> Void

        func write(_ element: Wsm_V1_EventsResponse) async throws { take(element) }

        func write(contentsOf elements: some Sequence<Wsm_V1_EventsResponse>) async throws {
            for element in elements { take(element) }
        }
    }
}
