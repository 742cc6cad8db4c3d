import Access
package import GRPCCore
import ManagerCore
package import SwiftProtobuf

/// Asks every living member for what it has, all at once.
package struct MemberReads: Sendable {
    package let cluster: any Cluster
    package let control: any ClusterControl
    package let calls: PeerCalls

    package init(cluster: any Cluster, control: any ClusterControl, calls: PeerCalls) {
        self.cluster = cluster
        self.control = control
        self.calls = calls
    }

    package struct Part<Message: Sendable>: Sendable {
        package var peer: ClusterPeer
        package var message: Message
        /// Shards that the member served from before it read until after it.
        package var served: Set<Int>
    }

    package struct Silent: Sendable {
        package var peer: ClusterPeer
        package var reason: String
    }

    package struct Result<Message: Sendable>: Sendable {
        package var parts: [Part<Message>] = []
        /// Members that did not answer in time.
        package var silent: [Silent] = []

        package var served: Set<Int> {
            parts.reduce(into: []) { $0.formUnion($1.served) }
        }
    }

    /// This instance's part, and what it served meanwhile.
    package func own<Response: Sendable>(
        _ here: () async throws -> Response
    ) async throws -> (response: Response, served: Set<Int>) {
        let (wasValid, before) = (control.isLeaseValid, control.view)
        let response = try await here()
        let after = control.view
        guard wasValid, control.isLeaseValid else { return (response, []) }
        return (response, before.served.intersection(after.served))
    }

    /// Answers the call of another instance: what is here, with the shards it is of.
    package func answer<Response: Sendable>(
        _ here: () async throws -> ServerResponse<Response>
    ) async throws -> ServerResponse<Response> {
        let (response, served) = try await own(here)
        guard case .success(var contents) = response.accepted else { return response }
        contents.metadata.addString(ShardMap(served).text, forKey: ShardMap.key)
        var answer = response
        answer.accepted = .success(contents)
        return answer
    }

    /// The parts of all members, this one's first.
    ///
    /// - Throws: What this instance's own part throws: a request that is wrong is wrong everywhere.
    package func all<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: ServerRequest<Request>, _ context: ServerContext,
        here:
            @Sendable (ServerRequest<Request>, ServerContext) async throws
            -> ServerResponse<Response>
    ) async throws -> Result<Response> {
        let (response, served) = try await own { try await here(request, context) }
        var result = Result<Response>()
        let members = cluster.members
        if let me = members.first(where: \.isMe) ?? control.view.me {
            result.parts.append(
                Part(peer: me, message: try response.accepted.get().message, served: served))
        }
        await withTaskGroup(of: (ClusterPeer, Swift.Result<Part<Response>, any Error>).self) {
            group in
            for peer in members where !peer.isMe {
                group.addTask {
                    do {
                        return (
                            peer,
                            .success(try await part(request.message, context.descriptor, of: peer))
                        )
                    } catch {
                        return (peer, .failure(error))
                    }
                }
            }
            for await (peer, outcome) in group {
                switch outcome {
                case .success(let part): result.parts.append(part)
                case .failure(let error):
                    result.silent.append(Silent(peer: peer, reason: Self.reason(error)))
                }
            }
        }
        return result
    }

    private func part<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: Request, _ method: MethodDescriptor, of peer: ClusterPeer
    ) async throws -> Part<Response> {
        let answer: PeerCalls.Answer<Response> = try await calls.unary(
            request, method, at: peer.address, hop: Hop(), timeout: PeerLimits.readTimeout)
        return Part(
            peer: peer, message: answer.message,
            served: ShardMap(answer.metadata)?.shards ?? [])
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as NotServed: error.sentence
        case let error as RPCError: error.message
        default: "it does not answer"
        }
    }
}

extension ClusterView {
    /// The instance that looks, where it is in its own roster or not.
    var me: ClusterPeer? {
        let address = members.first(where: \.isSelf)?.address ?? ""
        return ClusterPeer(
            instance: instance, address: address, isMe: true, isDraining: isDraining)
    }
}

extension MemberReads {
    /// The present call comes from another instance, which puts the parts together.
    var isAskedByPeer: Bool { Hop.current != nil }

    /// As `wsm/meta` says; the usual number before it was read.
    var shardCount: Int {
        let count = control.view.shards.count
        return count == 0 ? Shards.count : count
    }

    /// Shards that no part has, and why not.
    func unserved<Message>(by result: Result<Message>) -> [Int: NotOwned] {
        let silent = Set(result.silent.map(\.peer.instance))
        let served = result.served
        var unserved: [Int: NotOwned] = [:]
        for shard in control.view.shards where !served.contains(shard.number) {
            let isSilent = shard.owner.map(silent.contains) ?? false
            unserved[shard.number] = isSilent ? .ownerSilent : .noOwner
        }
        return unserved
    }
}
