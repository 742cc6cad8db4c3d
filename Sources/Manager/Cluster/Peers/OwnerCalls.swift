import Access
package import GRPCCore
import ManagerCore
package import SwiftProtobuf

/// Brings a call about one object to the instance that owns it: here, or over one hop.
package struct OwnerCalls: Sendable {
    /// Draws of a name for Connect until it is clear that no shard is here: an instance with one
    /// shard of 256 is overlooked once in 2,500 times, and then the call is forwarded.
    static let draws = 2_000

    package let cluster: any Cluster
    package let calls: PeerCalls
    /// `--forward on`.
    package let isForwarding: Bool

    package init(cluster: any Cluster, calls: PeerCalls, isForwarding: Bool) {
        self.cluster = cluster
        self.calls = calls
        self.isForwarding = isForwarding
    }

    /// What is done here, with the same request and context.
    package typealias Here<Request: Sendable, Response: Sendable> =
        @Sendable (ServerRequest<Request>, ServerContext) async throws -> ServerResponse<Response>

    /// Makes the call under the title that this instance or another one holds.
    ///
    /// - Parameters:
    ///   - timeout: for an answer from another instance.
    ///   - isRead: what is answered comes from memory, so the title must still be good when it is.
    ///   - unowned: answers where nobody owns the object; `nil` makes it UNAVAILABLE.
    /// - Throws: ``NotServed``; what the call itself throws, here or there.
    package func call<Request: Message & Sendable, Response: Message & Sendable>(
        about name: String, _ request: ServerRequest<Request>, _ context: ServerContext,
        timeout: Duration = PeerLimits.callTimeout, isRead: Bool = false,
        unowned: (@Sendable () async throws -> Response)? = nil,
        here: Here<Request, Response>
    ) async throws -> ServerResponse<Response> {
        if let hop = Hop.current {
            try check(hop, about: name)
            return try await serve(name, request, context, isRead: isRead, here: here)
        }
        var owner = cluster.owner(of: name)
        for attempt in 1...2 {
            switch owner {
            case .me:
                return try await serve(name, request, context, isRead: isRead, here: here)
            case .nobody:
                guard let unowned else { throw NotServed.unowned(name) }
                return ServerResponse(message: try await unowned())
            case .other(let instance, let address, let title):
                guard isForwarding else {
                    throw ManagerError(
                        .failedPrecondition, "Connection owned by different instance: \(instance)")
                }
                do {
                    let answer: PeerCalls.Answer<Response> = try await calls.unary(
                        request.message, context.descriptor, at: address,
                        hop: Hop(title: title.metadataText), timeout: timeout)
                    return ServerResponse(message: answer.message)
                } catch let refusal as NotServed {
                    guard attempt == 1, let known = refusal.owner else {
                        throw NotServed(refusal.sentence)
                    }
                    owner = newer(than: title.shardEpoch, told: known, about: name)
                }
            }
        }
        throw NotServed.unowned(name)
    }

    /// Whom to try next: whoever holds a later title than the one that was no good.
    private func newer(than tried: UInt64, told: ShardOwner, about name: String) -> ShardOwner {
        let mine = cluster.owner(of: name)
        let best = mine.epoch >= told.epoch ? mine : told
        return best.epoch > tried ? best : .nobody
    }

    /// A forwarded call is done under the title its sender expects, or not at all.
    private func check(_ hop: Hop, about name: String) throws {
        let title = cluster.gate(for: name)?.title
        if let title, hop.title == nil || hop.title == title.metadataText { return }
        var owner = cluster.owner(of: name)
        if let title, let me = cluster.members.first(where: \.isMe) {
            owner = .other(instance: me.instance, address: me.address, title: title)
        }
        throw NotServed("\(name) is not owned under the title that was expected", owner: owner)
    }

    private func serve<Request: Sendable, Response: Sendable>(
        _ name: String, _ request: ServerRequest<Request>, _ context: ServerContext,
        isRead: Bool, here: Here<Request, Response>
    ) async throws -> ServerResponse<Response> {
        guard let gate = cluster.gate(for: name), gate.mayAct else {
            throw NotServed.changing(name)
        }
        let response = try await here(request, context)
        guard !isRead || gate.mayAct else { throw NotServed.changing(name) }
        return response
    }

    // MARK: Connect

    /// Makes a call that draws a name: here, if any shard is, else at another member that has one.
    package func callAnywhere<Request: Message & Sendable, Response: Message & Sendable>(
        _ request: ServerRequest<Request>, _ context: ServerContext,
        here: Here<Request, Response>
    ) async throws -> ServerResponse<Response> {
        if ownsAnything { return try await here(request, context) }
        guard Hop.current == nil, isForwarding else {
            throw NotServed(
                "this instance owns no shard at the moment",
                owner: Hop.current == nil ? nil : .nobody)
        }
        for peer in cluster.members where !peer.isMe && !peer.isDraining {
            do {
                let answer: PeerCalls.Answer<Response> = try await calls.unary(
                    request.message, context.descriptor, at: peer.address, hop: Hop(),
                    timeout: PeerLimits.callTimeout)
                return ServerResponse(message: answer.message)
            } catch let refusal as NotServed where refusal.owner != nil {
                continue
            }
        }
        throw NotServed("no instance owns a shard at the moment")
    }

    private var ownsAnything: Bool {
        var generator = SystemRandomNumberGenerator()
        return (0..<Self.draws).contains { _ in
            cluster.gate(for: String(generator.next(), radix: 36))?.mayAct ?? false
        }
    }
}

extension ShardOwner {
    /// Of the title; 0 where there is none.
    var epoch: UInt64 {
        switch self {
        case .me(let epoch): epoch
        case .other(_, _, let title): title.shardEpoch
        case .nobody: 0
        }
    }
}
