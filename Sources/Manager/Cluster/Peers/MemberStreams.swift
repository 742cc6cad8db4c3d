import GRPCCore
import ManagerCore
import SwiftProtobuf

/// The same stream of every member at once, following members that come and go.
struct MemberStreams<Request: Message & Sendable, Response: Message & Sendable>: Sendable {
    typealias Channel = MergeChannel<Event>
    typealias Here =
        @Sendable (ServerRequest<Request>, ServerContext) async throws
        -> StreamingServerResponse<Response>

    enum Event: Sendable {
        /// The stream of a member begins, or begins anew.
        case opened(ClusterPeer)
        case message(ClusterPeer, Response)
        /// It broke off, or the member is gone.
        case ended(ClusterPeer)
        /// From time to time.
        case tick
    }

    let cluster: any Cluster
    let calls: PeerCalls
    /// What each member is asked for when its stream is opened.
    let request: @Sendable (ClusterPeer) -> Request
    /// This instance's own stream.
    let here: Here

    /// Hands the events of all streams to `handle`, one after the other, until the caller leaves, the
    /// process ends, or this instance's own stream ends. An event that `handle` returns `false` for
    /// is not done with yet: it has to be released later, and until then its stream stands still.
    ///
    /// - Throws: What the own stream ends with, and what `handle` throws.
    func run(
        _ context: ServerContext,
        handle: (Channel.Delivery, Channel) async throws -> Bool
    ) async throws {
        let channel = Channel()
        let own = Task {
            defer { channel.finish() }
            try await self.own(context, to: channel)
        }
        let others = [
            Task { await follow(context.descriptor, to: channel) },
            Task {
                while (try? await Task.sleep(for: MemberStreamTimes.tick)) != nil {
                    await channel.send(.tick)
                }
            },
        ]
        let handled: Result<Void, any Error>
        do {
            while let delivery = await channel.next() {
                if try await handle(delivery, channel) { channel.release(delivery) }
            }
            handled = .success(())
        } catch {
            handled = .failure(error)
        }
        channel.finish()
        own.cancel()
        for task in others { task.cancel() }
        for task in others { await task.value }
        let end = await own.result
        try handled.get()
        try end.get()
    }

    private func own(_ context: ServerContext, to channel: Channel) async throws {
        let me =
            cluster.members.first(where: \.isMe)
            ?? ClusterPeer(instance: "", address: "", isMe: true, isDraining: false)
        await channel.send(.opened(me))
        let response = try await here(
            ServerRequest(metadata: [:], message: request(me)), context)
        _ = try await response.accepted.get().producer(
            RPCWriter(wrapping: ChannelWriter(peer: me, channel: channel)))
    }

    /// One task for each other member that is there.
    private func follow(_ method: MethodDescriptor, to channel: Channel) async {
        var running: [String: Task<Void, Never>] = [:]
        while !Task.isCancelled {
            let peers = cluster.members.filter { !$0.isMe }
            // An address that another instance has now is another member.
            let present = Dictionary(
                peers.map { ("\($0.instance) \($0.address)", $0) }, uniquingKeysWith: { $1 })
            for (place, task) in running where present[place] == nil {
                task.cancel()
                running[place] = nil
            }
            for (place, peer) in present where running[place] == nil {
                running[place] = Task { await keepOpen(peer, method, to: channel) }
            }
            try? await Task.sleep(for: MemberStreamTimes.memberPoll)
        }
        for task in running.values { task.cancel() }
        for task in running.values { await task.value }
    }

    private func keepOpen(
        _ peer: ClusterPeer, _ method: MethodDescriptor, to channel: Channel
    ) async {
        while !Task.isCancelled {
            await channel.send(.opened(peer))
            // Why it ended does not matter: it is opened again while the member is there.
            try? await calls.stream(request(peer), method, at: peer.address) {
                (message: Response) in
                await channel.send(.message(peer, message))
            }
            await channel.send(.ended(peer))
            try? await Task.sleep(for: MemberStreamTimes.reopenDelay)
        }
    }

    /// Brings what this instance's own service writes.
    private struct ChannelWriter: RPCWriterProtocol {
        let peer: ClusterPeer
        let channel: Channel

        func write(_ element: Response) async throws {
            await channel.send(.message(peer, element))
        }

        func write(contentsOf elements: some Sequence<Response>) async throws {
            for element in elements { try await write(element) }
        }
    }
}

/// Times of ``MemberStreams``.
enum MemberStreamTimes {
    /// Between two looks at who is a member.
    static let memberPoll: Duration = .seconds(1)
    /// Before a stream that broke off is opened again.
    static let reopenDelay: Duration = .milliseconds(500)
    /// Between two ticks, at which those who merge look after what nobody shows any more.
    static let tick: Duration = .seconds(2)
    /// A watch that has not heard of a member for so long begins without it.
    static let firstSync: Duration = .seconds(5)
}
