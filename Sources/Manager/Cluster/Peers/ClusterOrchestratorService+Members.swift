import Access
package import GRPCCore
package import ManagerAPI
import ManagerCore
import SwiftProtobuf

// The cluster itself: who is there, and what an operator asks of one of them.
extension ClusterOrchestratorService {
    package func getCluster(
        request: ServerRequest<Wsm_V1_GetClusterRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_Cluster> {
        if reads.isAskedByPeer {
            return ServerResponse(message: ownView(isBrief: request.message.brief))
        }
        let isBrief = request.message.brief
        var whole = request
        whole.message.brief = false
        let result = try await reads.all(whole, context) { _, _ in
            ServerResponse(message: ownView(isBrief: false))
        }
        var report = ClusterReport(ownView(isBrief: false))
        for part in result.parts where !part.peer.isMe { report.add(part.message) }
        for silent in result.silent {
            report.add(silent: silent.peer.instance, because: silent.reason)
        }
        return ServerResponse(message: report.cluster(isBrief: isBrief))
    }

    private func ownView(isBrief: Bool) -> Wsm_V1_Cluster {
        Wsm_V1_Cluster(
            reads.control.view, connections: inner.operations.store.desiredNames().count,
            now: inner.operations.clock.wallTime(), isBrief: isBrief)
    }

    package func drain(
        request: ServerRequest<Wsm_V1_DrainRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_DrainResponse> {
        try await at(request.message.instance, request, context) { control in
            control.drain(isRestart: request.message.restart)
            var response = Wsm_V1_DrainResponse()
            response.shards = Int32(clamping: control.view.held)
            return response
        }
    }

    package func callOffDrain(
        request: ServerRequest<Wsm_V1_CallOffDrainRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_CallOffDrainResponse> {
        try await at(request.message.instance, request, context) { control in
            control.callOffDrain()
            return Wsm_V1_CallOffDrainResponse()
        }
    }

    package func cordon(
        request: ServerRequest<Wsm_V1_CordonRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_CordonResponse> {
        try await at(request.message.instance, request, context) { control in
            control.cordon(request.message.cordoned)
            return Wsm_V1_CordonResponse()
        }
    }

    /// Does something at one instance: here, or over one hop.
    private func at<Request: Message & Sendable, Response: Message & Sendable>(
        _ instance: String, _ request: ServerRequest<Request>, _ context: ServerContext,
        _ here: (any ClusterControl) -> Response
    ) async throws -> ServerResponse<Response> {
        guard !instance.isEmpty else {
            throw ManagerError(.invalidArgument, "instance is empty: it names a member")
        }
        if instance == reads.control.view.instance {
            return ServerResponse(message: here(reads.control))
        }
        let members = reads.cluster.members
        guard let peer = members.first(where: { $0.instance == instance && !$0.isMe }) else {
            let known = members.map(\.instance).sorted().joined(separator: ", ")
            throw ManagerError(
                .notFound, "there is no living member \(instance): the members are \(known)")
        }
        guard !reads.isAskedByPeer else {
            throw NotServed("the instance at that address is not \(instance) any more")
        }
        let answer: PeerCalls.Answer<Response> = try await reads.calls.unary(
            request.message, context.descriptor, at: peer.address, hop: Hop(),
            timeout: PeerLimits.readTimeout)
        return ServerResponse(message: answer.message)
    }
}

extension ClusterView {
    /// Shards that this instance has.
    var held: Int {
        shards.count { $0.state == .serving || $0.state == .loading || $0.state == .moving }
    }
}
