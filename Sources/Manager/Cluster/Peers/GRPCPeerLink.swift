import GRPCCore
package import Logging
import ManagerAPI
package import ManagerCore
import SwiftProtobuf
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// ``PeerLink`` over gRPC: for each address a bounded queue, delivered in order, one call at a
/// time. A delivery that fails is lost; the protocol asks again.
package final class GRPCPeerLink: PeerLink {
    /// Since the start, in messages.
    package struct Counts: Sendable, Hashable {
        package var delivered: UInt64 = 0
        /// Delivery failed: it may have arrived all the same.
        package var lost: UInt64 = 0
        /// The queue was full: the oldest went.
        package var dropped: UInt64 = 0
    }

    private let clients: PeerClients
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var queues: [String: PeerQueue] = [:]
        /// Addresses that a task delivers to.
        var busy: [String: Task<Void, Never>] = [:]
        /// Addresses whose last delivery failed, so that each outage is told once.
        var failing: Set<String> = []
        var counts = Counts()
        var isClosed = false
    }

    package init(clients: PeerClients, logger: Logger) {
        self.clients = clients
        self.logger = logger
    }

    package var counts: Counts { state.withLock { $0.counts } }

    package func send(_ messages: [PeerMessage], to address: String) {
        guard !messages.isEmpty else { return }
        state.withLock { state in
            guard !state.isClosed else { return }
            var queue = state.queues[address] ?? PeerQueue()
            for message in messages { queue.append(message) }
            state.counts.dropped += queue.takeDropped()
            state.queues[address] = queue
            guard state.busy[address] == nil else { return }
            state.busy[address] = Task { await self.deliverAll(to: address) }
        }
    }

    /// Nothing more is sent; what waits is dropped.
    package func close() async {
        let tasks = state.withLock { state in
            state.isClosed = true
            state.queues = [:]
            return Array(state.busy.values)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    private func deliverAll(to address: String) async {
        while let batch = next(for: address) {
            do {
                try await deliver(batch, to: address)
                succeeded(batch.count, address)
            } catch {
                failed(batch.count, address, error)
            }
        }
    }

    /// - Returns: `nil` when there is nothing more; then the task is over.
    private func next(for address: String) -> [PeerMessage]? {
        state.withLock { state in
            let batch = state.queues[address]?.takeBatch() ?? []
            guard !batch.isEmpty else {
                state.queues[address] = nil
                state.busy[address] = nil
                return nil
            }
            return batch
        }
    }

    private func deliver(_ messages: [PeerMessage], to address: String) async throws {
        var batch = Wsm_V1_PeerBatch()
        batch.messages = messages.map(Wsm_V1_PeerEnvelope.init)
        let bytes: [UInt8] = try batch.serializedBytes()
        guard bytes.count <= PeerLimits.deliveryBytes else {
            throw RPCError(
                code: .resourceExhausted,
                message: "a message has \(bytes.count) bytes: at most "
                    + "\(PeerLimits.deliveryBytes) are delivered")
        }
        let client = Wsm_V1_Peer.Client(wrapping: try clients.client(for: address))
        var options = CallOptions.defaults
        options.timeout = PeerLimits.deliveryTimeout
        _ = try await client.deliver(metadata: clients.metadata(), options: options) { writer in
            for start in stride(from: 0, to: bytes.count, by: PeerLimits.pieceBytes) {
                var piece = Wsm_V1_DeliverRequest()
                piece.part = Data(bytes[start..<min(start + PeerLimits.pieceBytes, bytes.count)])
                try await writer.write(piece)
            }
        }
    }

    private func succeeded(_ count: Int, _ address: String) {
        let wasFailing = state.withLock { state in
            state.counts.delivered += UInt64(count)
            return state.failing.remove(address) != nil
        }
        guard wasFailing else { return }
        logger.info("a peer takes messages again", metadata: ["peer": "\(address)"])
    }

    private func failed(_ count: Int, _ address: String, _ error: any Error) {
        let isNew = state.withLock { state in
            state.counts.lost += UInt64(count)
            return !state.isClosed && state.failing.insert(address).inserted
        }
        guard isNew else { return }
        logger.warning(
            "messages to a peer are lost",
            metadata: [
                "peer": "\(address)", "messages": "\(count)",
                "error": "\(clients.reason(error))",
            ])
    }
}

/// What waits for one peer, oldest first, bounded in number and bytes. Pure.
struct PeerQueue: Sendable {
    private var messages: [(message: PeerMessage, bytes: Int)] = []
    private var bytes = 0
    private var dropped: UInt64 = 0

    var count: Int { messages.count }

    mutating func append(_ message: PeerMessage) {
        let size = message.approximateBytes
        messages.append((message, size))
        bytes += size
        var over = 0
        while messages.count - over > 1,
            messages.count - over > PeerLimits.queuedMessages || bytes > PeerLimits.queuedBytes
        {
            bytes -= messages[over].bytes
            over += 1
        }
        messages.removeFirst(over)
        dropped += UInt64(over)
    }

    /// How many had to go since it was last asked.
    mutating func takeDropped() -> UInt64 {
        defer { dropped = 0 }
        return dropped
    }

    /// The oldest, as many as one delivery takes.
    mutating func takeBatch() -> [PeerMessage] {
        var size = 0
        var count = 0
        while count < messages.count, count < PeerLimits.batchMessages {
            guard count == 0 || size + messages[count].bytes <= PeerLimits.batchBytes else { break }
            size += messages[count].bytes
            count += 1
        }
        defer { messages.removeFirst(count) }
        bytes -= size
        return messages.prefix(count).map(\.message)
    }
}

extension PeerMessage {
    /// About as many as on the wire.
    var approximateBytes: Int {
        switch self {
        case .ask(let ask):
            ask.records.reduce(128) { $0 + $1.name.utf8.count + $1.content.count + 24 }
        case .digests(_, _, _, let connections):
            connections.reduce(96) { $0 + $1.name.utf8.count + $1.frames.count * 8 + 24 }
        case .call(_, _, _, let change, let replyTo):
            192 + change.name.utf8.count + change.content.count + replyTo.utf8.count
        case .answer, .shadowReady, .acknowledged, .handOverEnded, .result, .notOwner:
            128
        }
    }
}
