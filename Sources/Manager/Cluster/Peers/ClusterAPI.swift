import Access
package import GRPCCore
package import Logging
import ManagerAPI
package import ManagerCore

/// The way to the other instances: made before the cluster node, which sends by ``link``.
package struct PeerConnections: Sendable {
    package let clients: PeerClients
    package let link: GRPCPeerLink

    package init(credentials: PeerCredentials, logger: Logger) {
        clients = PeerClients(credentials: credentials)
        link = GRPCPeerLink(clients: clients, logger: logger)
    }

    /// Nothing more is sent; calls under way end.
    package func close() async {
        await link.close()
        await clients.close()
    }
}

/// The API of an instance that shares its state store: the services of one that is alone, with the
/// other instances behind them.
package struct ClusterAPI: Sendable {
    private let peers: PeerConnections
    private let owners: OwnerCalls
    private let reads: MemberReads
    private let stored: any StoredObjects

    /// - Parameters:
    ///   - stored: Reads records that no instance has in memory.
    ///   - isForwarding: `--forward`; without it a call about a connection of another instance is
    ///     refused, as by the older service.
    package init(
        peers: PeerConnections, cluster: any Cluster, control: any ClusterControl,
        stored: any StoredObjects, isForwarding: Bool
    ) {
        let calls = PeerCalls(clients: peers.clients)
        self.peers = peers
        owners = OwnerCalls(cluster: cluster, calls: calls, isForwarding: isForwarding)
        reads = MemberReads(cluster: cluster, control: control, calls: calls)
        self.stored = stored
    }

    /// The services for both ports, in the place of `manager` and `orchestrator`.
    ///
    /// - Parameter receive: Messages of the ownership protocol, in the order they came from one
    ///   peer. Returns at once.
    package func services(
        manager: WebSocketManagerService, orchestrator: OrchestratorService,
        receive: @escaping @Sendable ([PeerMessage]) -> Void
    ) -> [any RegistrableRPCService] {
        let operations = orchestrator.operations
        let ownerless = OwnerlessObjects(stored: stored, now: operations.clock.wallTime)
        var inner = orchestrator
        inner.openElsewhere = { [reads] in await reads.openElsewhere() }
        return [
            ClusterManagerService(
                inner: manager, owners: owners, reads: reads, ownerless: ownerless),
            ClusterOrchestratorService(
                inner: inner, owners: owners, reads: reads, ownerless: ownerless),
            PeerService(
                receive: receive, open: { operations.fleet.openNames }, bus: orchestrator.bus,
                life: orchestrator.life),
        ]
    }
}

extension MemberReads {
    /// Names of the connections with an open socket at other members; of one that does not answer
    /// none are.
    func openElsewhere() async -> Set<String> {
        await withTaskGroup(of: [String].self) { group in
            for peer in cluster.members where !peer.isMe {
                group.addTask {
                    let answer: PeerCalls.Answer<Wsm_V1_ListOpenResponse>? = try? await calls.unary(
                        Wsm_V1_ListOpenRequest(), Wsm_V1_Peer.Method.ListOpen.descriptor,
                        at: peer.address, hop: Hop(), timeout: PeerLimits.readTimeout)
                    return answer?.message.connections ?? []
                }
            }
            return await group.reduce(into: []) { $0.formUnion($1) }
        }
    }
}
