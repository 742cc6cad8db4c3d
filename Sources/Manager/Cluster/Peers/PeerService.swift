package import GRPCCore
package import ManagerAPI
package import ManagerCore
import SwiftProtobuf

/// `wsm.v1.Peer`: what other instances bring. The access interceptor lets nobody else in.
package struct PeerService: Wsm_V1_Peer.SimpleServiceProtocol {
    private let receive: @Sendable ([PeerMessage]) -> Void
    private let open: @Sendable () -> [String]
    private let bus: any Bus
    private let life: UInt64

    /// - Parameters:
    ///   - receive: Messages in the order they came from one peer. Returns at once.
    ///   - open: Names of the connections with an open socket here.
    ///   - life: Of this process, as in the marks of its topics.
    package init(
        receive: @escaping @Sendable ([PeerMessage]) -> Void,
        open: @escaping @Sendable () -> [String], bus: any Bus, life: UInt64
    ) {
        self.bus = bus
        self.life = life
        self.receive = receive
        self.open = open
    }

    /// What is understood is taken, whatever stands beside it: a newer version may say more.
    package func deliver(
        request: RPCAsyncSequence<Wsm_V1_DeliverRequest, any Error>, context: ServerContext
    ) async throws -> Wsm_V1_DeliverResponse {
        var bytes: [UInt8] = []
        for try await piece in request {
            bytes += piece.part
            guard bytes.count <= PeerLimits.deliveryBytes else {
                throw ManagerError(
                    .resourceExhausted,
                    "the delivery has more than \(PeerLimits.deliveryBytes) bytes")
            }
        }
        guard let batch = try? Wsm_V1_PeerBatch(serializedBytes: bytes) else {
            throw ManagerError(.invalidArgument, "the delivery is no PeerBatch")
        }
        var messages: [PeerMessage] = []
        var problem: PeerMessageProblem?
        for envelope in batch.messages {
            do throws(PeerMessageProblem) {
                messages.append(try PeerMessage(envelope))
            } catch {
                problem = problem ?? error
            }
        }
        receive(messages)
        if let problem {
            throw ManagerError(
                .invalidArgument,
                "\(batch.messages.count - messages.count) of \(batch.messages.count) messages are "
                    + "not understood: \(problem)")
        }
        return Wsm_V1_DeliverResponse()
    }

    package func listOpen(
        request: Wsm_V1_ListOpenRequest, context: ServerContext
    ) async throws -> Wsm_V1_ListOpenResponse {
        var response = Wsm_V1_ListOpenResponse()
        response.connections = open()
        return response
    }

    package func getTopicEnd(
        request: Wsm_V1_GetTopicEndRequest, context: ServerContext
    ) async throws -> Wsm_V1_GetTopicEndResponse {
        var response = Wsm_V1_GetTopicEndResponse()
        response.life = life
        response.position = bus.newestPosition(of: request.topic)
        return response
    }
}
