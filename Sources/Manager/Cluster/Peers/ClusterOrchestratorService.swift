package import GRPCCore
import Logging
package import ManagerAPI
import ManagerCore
import Spec

/// `wsm.v1.Orchestrator` of an instance that shares its store: what is about one object goes to its
/// owner, and lists and streams are of all instances. Applies are made here; the store brings each
/// change to the owner of its record.
package struct ClusterOrchestratorService: Wsm_V1_Orchestrator.ServiceProtocol {
    let inner: OrchestratorService
    let owners: OwnerCalls
    let reads: MemberReads
    let ownerless: OwnerlessObjects

    // MARK: Made here

    package func apply(
        request: StreamingServerRequest<Wsm_V1_ApplyRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Wsm_V1_ApplyResponse> {
        try await inner.apply(request: request, context: context)
    }

    package func plan(
        request: StreamingServerRequest<Wsm_V1_ApplyRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Wsm_V1_ApplyResponse> {
        try await inner.plan(request: request, context: context)
    }

    package func getHistory(
        request: ServerRequest<Wsm_V1_GetHistoryRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_GetHistoryResponse> {
        try await inner.getHistory(request: request, context: context)
    }

    package func rollback(
        request: ServerRequest<Wsm_V1_RollbackRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Wsm_V1_ApplyResponse> {
        try await inner.rollback(request: request, context: context)
    }

    package func getServerInfo(
        request: ServerRequest<Wsm_V1_GetServerInfoRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_ServerInfo> {
        try await inner.getServerInfo(request: request, context: context)
    }

    package func getServerStatus(
        request: ServerRequest<Wsm_V1_GetServerStatusRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_ServerStatus> {
        try await inner.getServerStatus(request: request, context: context)
    }

    // MARK: At the owner

    package func get(
        request: ServerRequest<Wsm_V1_GetRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_Object> {
        let asked = request.message
        let kind = try inner.kind(asked.kind)
        return try await owners.call(
            about: asked.name, request, context, timeout: PeerLimits.readTimeout, isRead: true,
            unowned: {
                let everything = try ObjectFilter(labelSelector: "", set: "", names: [])
                let found = try await ownerless.objects(
                    kind, [asked.name], filter: everything, isBrief: false, { _ in .noOwner })
                guard let object = found.first else { throw OrchestratorService.notFound(kind) }
                return object
            },
            here: { try await inner.get(request: $0, context: $1) })
    }

    package func delete(
        request: ServerRequest<Wsm_V1_DeleteRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_DeleteResponse> {
        try await owners.call(about: request.message.name, request, context) {
            try await inner.delete(request: $0, context: $1)
        }
    }

    // MARK: Of all members

    package func list(
        request: ServerRequest<Wsm_V1_ListRequest>, context: ServerContext
    ) async throws -> ServerResponse<Wsm_V1_ListResponse> {
        if reads.isAskedByPeer {
            return try await reads.answer {
                try await inner.list(request: request, context: context)
            }
        }
        let asked = request.message
        let limit =
            asked.pageSize == 0 ? OrchestratorService.defaultPageSize : Int(asked.pageSize)
        let result = try await reads.all(request, context) {
            try await inner.list(request: $0, context: $1)
        }
        var parts = result.parts.map { MergedPage.Part(page: $0.message, served: $0.served) }
        let count = reads.shardCount
        parts.append(
            MergedPage.Part(
                page: try await ownerless.page(
                    try inner.kind(asked.kind), asked, limit: limit,
                    reads.unserved(by: result), shardCount: count), served: []))
        return ServerResponse(
            message: MergedPage(parts, shardCount: count).page(
                limit: limit, bytes: OrchestratorService.pageBytes))
    }

    package func watch(
        request: ServerRequest<Wsm_V1_WatchRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Wsm_V1_WatchResponse> {
        if reads.isAskedByPeer { return try await inner.watch(request: request, context: context) }
        let asked = request.message
        let watch = ClusterWatch(
            kind: try inner.kind(asked.kind), request: asked,
            filter: try ObjectFilter(
                labelSelector: asked.labelSelector, set: asked.set, names: asked.names),
            reads: reads, ownerless: ownerless,
            here: { try await inner.watch(request: $0, context: $1) },
            now: inner.operations.clock.now)
        return StreamingServerResponse { writer in
            try await watch.run(writer, context)
            return [:]
        }
    }

    package func events(
        request: ServerRequest<Wsm_V1_EventsRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Wsm_V1_EventsResponse> {
        let here: ClusterEvents.Streams.Here = { request, context in
            StreamingServerResponse { writer in
                try await inner.events(request.message, isMarked: true, writer, context)
                return [:]
            }
        }
        if reads.isAskedByPeer { return try await here(request, context) }
        let asked = request.message
        let events = ClusterEvents(request: asked, reads: reads, here: here)
        if asked.onlyHeld {
            return StreamingServerResponse { writer in
                try await events.held(writer, context)
                return [:]
            }
        }
        var begin = TopicEnds.Begin(members: reads.cluster.members)
        if !asked.replay {
            begin = await ends(of: LifecycleEvent.topic).now()
            tellSilent(begin, LifecycleEvent.topic)
        }
        let first = begin
        return StreamingServerResponse { writer in
            try await events.follow(from: first, writer, context)
            return [:]
        }
    }

    package func subscribe(
        request: ServerRequest<Wsm_V1_SubscribeRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Wsm_V1_SubscribeResponse> {
        if reads.isAskedByPeer { return try await own(request, context) }
        if let problem = TopicName.problem(request.message.topic) {
            throw ManagerError(.invalidArgument, "topic: \(problem)")
        }
        let subscription = ClusterSubscription(
            request: request.message, reads: reads, ends: ends(of: request.message.topic),
            here: { try await own($0, $1) }, now: inner.operations.clock.now)
        // Before the answer begins: who has its headers misses nothing that comes afterwards.
        let begin = await subscription.begin()
        if subscription.isFromNow { tellSilent(begin, request.message.topic) }
        return StreamingServerResponse { writer in
            try await subscription.run(from: begin, writer, context)
            return [:]
        }
    }

    private func ends(of topic: String) -> TopicEnds {
        TopicEnds(topic: topic, reads: reads) {
            var end = Wsm_V1_GetTopicEndResponse()
            end.life = inner.life
            end.position = inner.bus.newestPosition(of: topic)
            return end
        }
    }

    private func tellSilent(_ begin: TopicEnds.Begin, _ topic: String) {
        for instance in begin.silent {
            inner.operations.logger.warning(
                """
                a subscription begins without a member that does not answer: what it publishes before \
                its stream opens is not in it
                """,
                metadata: ["topic": "\(topic)", "member": "\(instance)"])
        }
    }

    /// This instance's part of a subscription. It begins by saying where, so that it can be gone
    /// on with.
    private func own(
        _ request: ServerRequest<Wsm_V1_SubscribeRequest>, _ context: ServerContext
    ) async throws -> StreamingServerResponse<Wsm_V1_SubscribeResponse> {
        var asked = request.message
        var begin: UInt64 = 0
        switch asked.start {
        case .oldest: break
        case .after:
            if let mark = asked.after.first, mark.life == inner.life {
                begin = mark.position
            } else {
                asked.start = .oldest
            }
        case .newest, .unspecified, .UNRECOGNIZED:
            begin = inner.bus.newestPosition(of: asked.topic)
            asked.start = .after
        }
        (asked.after, asked.afterPosition, asked.afterEpoch) = ([], begin, 0)
        var hello = Wsm_V1_SubscribeResponse()
        hello.mark = inner.mark(begin)
        let first = hello
        let response = try await inner.subscribe(
            request: ServerRequest(metadata: request.metadata, message: asked), context: context)
        let contents = try response.accepted.get()
        return StreamingServerResponse { writer in
            try await writer.write(first)
            return try await contents.producer(writer)
        }
    }
}
