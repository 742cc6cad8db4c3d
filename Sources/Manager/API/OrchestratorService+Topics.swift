import Dapr
package import GRPCCore
package import ManagerAPI
import ManagerCore
import Spec
import SwiftProtobuf

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension OrchestratorService {
    /// Streams a topic until the caller leaves or the process ends. It listens before the answer
    /// begins: who has its headers misses nothing that comes afterwards.
    package func subscribe(
        request: ServerRequest<Wsm_V1_SubscribeRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Wsm_V1_SubscribeResponse> {
        try stream(request.message, context) { try Wsm_V1_SubscribeResponse(serializedBytes: $0) }
    }

    package func subscribe(
        request: Wsm_V1_SubscribeRequest, response: RPCWriter<Wsm_V1_SubscribeResponse>,
        context: ServerContext
    ) async throws {
        let stream = try await subscribe(
            request: ServerRequest(metadata: [:], message: request), context: context)
        _ = try await stream.accepted.get().producer(response)
    }

    /// - Parameters:
    ///   - executor: Writes the stream; `nil` for the threads that all tasks share.
    ///   - message: Makes the message that is sent from the bytes of a `SubscribeResponse`.
    func stream<Response: Sendable>(
        _ request: Wsm_V1_SubscribeRequest, _ context: ServerContext,
        on executor: EventLoopExecutor? = nil,
        message: @escaping @Sendable ([UInt8]) throws -> Response
    ) throws -> StreamingServerResponse<Response> {
        let reader = try reader(request)
        return StreamingServerResponse { response in
            try await operations.endingWithCaller(context, on: executor) {
                var writer = TopicResponseWriter()
                var written = 0
                while !Task.isCancelled {
                    var held = reader.nextHeld(maxCount: Self.messagesPerRead)
                    if held == nil {
                        held = await reader.next(maxCount: Self.messagesPerRead)
                        written = 0
                    }
                    guard let delivery = held else { return }
                    writer.begin(delivery)
                    while let bytes = writer.next() {
                        try await response.write(message(bytes))
                        written += bytes.count
                    }
                    if written >= Self.bytesInARow {
                        await executor?.giveWay()
                        written = 0
                    }
                }
            }
            throw Self.goingAway
        }
    }

    private func reader(_ request: Wsm_V1_SubscribeRequest) throws -> any TopicReader {
        if let problem = TopicName.problem(request.topic) {
            throw ManagerError(.invalidArgument, "topic: \(problem)")
        }
        return bus.subscribe(
            topic: request.topic,
            from: TopicStart(
                request.start, after: request.afterPosition,
                isOfThisLife: request.afterEpoch == 0
                    || request.afterEpoch == operations.store.epoch))
    }

    package func events(
        request: Wsm_V1_EventsRequest, response: RPCWriter<Wsm_V1_EventsResponse>,
        context: ServerContext
    ) async throws {
        try await events(request, isMarked: false, response, context)
    }

    /// - Parameter isMarked: the caller puts the streams of several instances together and wants
    ///   to know how far this one has come.
    func events(
        _ request: Wsm_V1_EventsRequest, isMarked: Bool,
        _ response: RPCWriter<Wsm_V1_EventsResponse>, _ context: ServerContext
    ) async throws {
        var start: TopicStart = request.replay || request.onlyHeld ? .oldest : .newest
        if request.hasAfter {
            start = request.after.life == life ? .after(request.after.position) : .oldest
        } else if isMarked, start == .newest {
            start = .after(bus.newestPosition(of: LifecycleEvent.topic))
        }
        let reader = bus.subscribe(topic: LifecycleEvent.topic, from: start)
        if request.onlyHeld {
            while let delivery = reader.nextHeld(maxCount: Self.messagesPerResponse) {
                try await tell(delivery, of: request.connection, isMarked: isMarked, response)
            }
            return
        }
        if isMarked, case .after(let position) = start {
            var message = Wsm_V1_EventsResponse()
            message.mark = mark(position)
            try await response.write(message)
        }
        try await operations.endingWithCaller(context) {
            while let delivery = await reader.next(maxCount: Self.messagesPerResponse) {
                try await tell(delivery, of: request.connection, isMarked: isMarked, response)
            }
        }
        throw Self.goingAway
    }

    /// Names this process among all lives of its instance.
    var life: UInt64 { UInt64(clamping: server.startedAt.nanosecondsSinceEpoch) }

    func mark(_ position: UInt64) -> Wsm_V1_TopicMark {
        var mark = Wsm_V1_TopicMark()
        mark.instance = server.instanceID
        mark.life = life
        mark.position = position
        return mark
    }

    /// - Parameter connection: whose events are wanted; empty is all.
    private func tell(
        _ delivery: TopicDelivery, of connection: String, isMarked: Bool,
        _ response: RPCWriter<Wsm_V1_EventsResponse>
    ) async throws {
        let wanted = OutboundEvent.Attribute("websocketid", connection)
        var message = Wsm_V1_EventsResponse()
        message.missed = delivery.missed
        if isMarked {
            message.mark = mark(delivery.firstPosition + UInt64(delivery.events.count) - 1)
        }
        message.cloudevents = delivery.events.compactMap { event in
            guard connection.isEmpty || event.attributes.contains(wanted) else { return nil }
            return CloudEventWriter.json(event, data: event.data).map { Data($0) }
        }
        if !message.cloudevents.isEmpty || message.missed > 0 || isMarked {
            try await response.write(message)
        }
    }

    /// How a stream ends that its caller did not end; one that did hears nothing any more.
    static let goingAway = ManagerError(
        .unavailable, "the server is going away: subscribe again")
}

extension TopicStart {
    init(_ start: Wsm_V1_StartPosition, after position: UInt64, isOfThisLife: Bool) {
        self =
            switch start {
            case .oldest: .oldest
            case .after: isOfThisLife ? .after(position) : .oldest
            case .newest, .unspecified, .UNRECOGNIZED: .newest
            }
    }
}
