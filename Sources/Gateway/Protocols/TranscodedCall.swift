import GRPCCore
import HTTPTypes

/// Calls by the routes of the contract, with JSON.
extension GatewayService {
    func prepare(
        _ route: RouteTable.Route, variables: [(name: String, value: String)], _ head: RequestHead
    ) async throws -> Prepared {
        let metadata = try await admit(head, route.method.fullName)
        let context = RPCPort.Context(metadata: metadata, timeout: try head.timeout)
        if head.hasBody {
            guard head.mediaType == HTTPAnswer.json,
                MediaType(head.fields[.contentType] ?? "").isUTF8
            else {
                throw RPCFailure(
                    .invalidArgument, "the body must be application/json in UTF-8", status: 415)
            }
        }
        return .body(maxBytes: HTTPLimits.maxBodyBytes) { body in
            await self.answer(route, variables: variables, head, body: body, context)
        }
    }

    private func answer(
        _ route: RouteTable.Route, variables: [(name: String, value: String)], _ head: RequestHead,
        body: [UInt8], _ context: RPCPort.Context
    ) async -> HTTPAnswer {
        let method = route.method
        do {
            let node = body.isEmpty ? nil : try JSONParser.parse(body)
            let messages: [[UInt8]]
            if method.isClientStreaming, let node {
                if let first = head.target.query.first {
                    throw FieldProblem(path: first.name, sentence: "cannot be in the query")
                }
                messages = try ApplyBody(schema: schema, method: method)
                    .messages(node, text: body)
            } else {
                var object = try RequestBinding(schema: schema).bind(
                    route, variables: variables, query: head.target.query, body: node)
                let resumed = try resume(&object, method, head)
                let message = try MessageEncoder(schema: schema).encode(object, as: method.input)
                messages = method.isClientStreaming ? [] : [message]
                if method.isServerStreaming {
                    return await stream(method, messages, context, head, after: resumed)
                }
            }
            guard !method.isServerStreaming else {
                return await stream(method, messages, context, head, after: nil)
            }
            let reply = try await rpc.unary(method, messages.first ?? [], context)
            return HTTPAnswer(
                status: 200, type: HTTPAnswer.json,
                body: try MessageDecoder(schema: schema).json(reply, of: method.output))
        } catch let problem as JSONParser.Problem {
            return ErrorBody.answer(RPCFailure(.invalidArgument, "\(problem)"))
        } catch {
            return ErrorBody.answer(RPCFailure(error))
        }
    }

    /// `Last-Event-ID` of a reader of a topic: go on after that position.
    private func resume(
        _ object: inout JSONNode, _ method: MethodSchema, _ head: RequestHead
    ) throws -> TopicMark? {
        guard method.fullName == "wsm.v1.Orchestrator/Subscribe",
            let text = head.fields[.lastEventID], !text.isEmpty
        else { return nil }
        guard let mark = TopicMark(text) else {
            throw FieldProblem(
                path: "Last-Event-ID",
                sentence: "must be the id of an event of a topic, not \(Quoted(text))")
        }
        // What it takes the place of must be right all the same.
        _ = try MessageEncoder(schema: schema).encode(object, as: method.input)
        let names = [
            "start", "after_position", "afterPosition", "after_epoch", "afterEpoch",
        ]
        var members = (object.members ?? []).filter { !names.contains($0.name) }
        members.append(
            JSONNode.Member(name: "start", node: JSONNode(.string("START_POSITION_AFTER"))))
        for (name, number) in [("afterPosition", mark.position), ("afterEpoch", mark.epoch)] {
            members.append(JSONNode.Member(name: name, node: JSONNode(.string("\(number)"))))
        }
        if !mark.instances.isEmpty {
            members.removeAll { $0.name == "after" }
            members.append(
                JSONNode.Member(name: "after", node: JSONNode(.array(mark.instances.map(\.json)))))
        }
        object.value = .object(members)
        return mark
    }

    private func stream(
        _ method: MethodSchema, _ messages: [[UInt8]], _ context: RPCPort.Context,
        _ head: RequestHead, after mark: TopicMark?
    ) async -> HTTPAnswer {
        let decoder = MessageDecoder(schema: schema)
        let wantsEvents = (head.fields[.accept] ?? "").split(separator: ",")
            .contains { MediaType(String($0)).name == EventStreamWriter.type }
        // A call that does something and ends says how it went; one that waits for what may not
        // come for hours says 200 soon.
        let patience = head.method == "GET" ? HTTPLimits.firstAnswer : nil
        return await wantsEvents
            ? startStream(
                method, messages, context, type: EventStreamWriter.type,
                EventStreamWriter(decoder: decoder, message: method.output, after: mark),
                patience: patience)
            : startStream(
                method, messages, context, type: LineWriter.type,
                LineWriter(decoder: decoder, message: method.output), patience: patience)
    }

    /// Begins a call whose messages become the body.
    ///
    /// - Parameter patience: How long a refusal is waited for; `nil` waits for the first message or
    ///   the end.
    /// - Parameter refusal: What a call is answered with that ended so before its first message.
    func startStream(
        _ method: MethodSchema, _ messages: [[UInt8]], _ context: RPCPort.Context, type: String,
        _ writer: any StreamWriting, patience: Duration?,
        refusal: (RPCFailure) -> HTTPAnswer = ErrorBody.answer
    ) async -> HTTPAnswer {
        let handoff = Handoff()
        let rpc = rpc
        let work = Task {
            do {
                try await rpc.stream(method, messages, context) { try await handoff.put($0) }
                handoff.end(nil)
            } catch {
                handoff.end(RPCFailure(error))
            }
        }
        let stop: @Sendable () -> Void = {
            handoff.end(.callerLeft)
            work.cancel()
        }
        let timer = patience.map { patience in
            Task {
                try await Task.sleep(for: patience)
                handoff.tick()
            }
        }
        let first = await withTaskCancellationHandler {
            await handoff.next()
        } onCancel: {
            stop()
        }
        timer?.cancel()
        if case .ended(let failure?) = first { return refusal(failure) }
        return HTTPAnswer(
            type: type,
            stream: StreamBody(handoff: handoff, stop: stop, first: first, writer: writer))
    }
}

extension TopicMark.Instance {
    /// As `wsm.v1.TopicMark`.
    fileprivate var json: JSONNode {
        let members = [("instance", name), ("life", "\(life)"), ("position", "\(position)")]
        return JSONNode(
            .object(members.map { JSONNode.Member(name: $0.0, node: JSONNode(.string($0.1))) }))
    }
}
