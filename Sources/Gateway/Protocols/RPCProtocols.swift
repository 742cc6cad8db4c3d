import GRPCCore
import HTTPTypes

/// Calls at `/package.Service/Method`: gRPC-Web and Connect.
extension GatewayService {
    func prepareRPC(
        _ head: RequestHead, service: String, name: String
    ) async throws -> Prepared {
        guard head.method == "POST" else {
            throw Self.wrongMethod(head.method, allowed: ["POST"])
        }
        if let format = GRPCWeb.Format(head.mediaType) {
            return await prepareGRPCWeb(head, service: service, name: name, format)
        }
        if let format = ConnectRPC.Format(head.mediaType) {
            return await prepareConnect(head, service: service, name: name, format)
        }
        throw RPCFailure(
            .invalidArgument,
            "the content type must be one of gRPC-Web (application/grpc-web, "
                + "application/grpc-web-text) or of unary Connect (application/json, "
                + "application/proto)", status: 415)
    }

    // MARK: gRPC-Web

    private func prepareGRPCWeb(
        _ head: RequestHead, service: String, name: String, _ format: GRPCWeb.Format
    ) async -> Prepared {
        do {
            guard let method = schema.method(service: service, name: name) else {
                throw RPCFailure(.unimplemented, "\(service) has no method \(Quoted(name))")
            }
            let metadata = try await admit(head, method.fullName)
            let context = RPCPort.Context(metadata: metadata, timeout: try head.timeout)
            let limit = format.isText ? HTTPLimits.maxTextBodyBytes : HTTPLimits.maxBodyBytes
            return .body(maxBytes: limit + GRPCWeb.headerBytes) { body in
                await self.answerGRPCWeb(method, body, format, context)
            }
        } catch {
            return .answer(GRPCWeb.answer(format, messages: [], RPCFailure(error)))
        }
    }

    private func answerGRPCWeb(
        _ method: MethodSchema, _ body: [UInt8], _ format: GRPCWeb.Format,
        _ context: RPCPort.Context
    ) async -> HTTPAnswer {
        do {
            let messages = try GRPCWeb.messages(body, format)
            guard method.isClientStreaming || messages.count == 1 else {
                throw RPCFailure(
                    .invalidArgument, "the call takes one message, not \(messages.count)")
            }
            guard method.isServerStreaming else {
                let reply = try await rpc.unary(method, messages.first ?? [], context)
                return GRPCWeb.answer(format, messages: [reply], nil)
            }
            // A refusal is in the trailers, so that nothing is waited for.
            return await startStream(
                method, messages, context, type: format.contentType,
                GRPCWebWriter(format: format), patience: .zero,
                refusal: { GRPCWeb.answer(format, messages: [], $0) })
        } catch {
            return GRPCWeb.answer(format, messages: [], RPCFailure(error))
        }
    }

    // MARK: Connect

    private func prepareConnect(
        _ head: RequestHead, service: String, name: String, _ format: ConnectRPC.Format
    ) async -> Prepared {
        do {
            guard let method = schema.method(service: service, name: name) else {
                throw RPCFailure(
                    .unimplemented, "\(service) has no method \(Quoted(name))", status: 404)
            }
            let metadata = try await admit(head, method.fullName)
            try ConnectRPC.check(head, method)
            let context = RPCPort.Context(metadata: metadata, timeout: try head.timeout)
            return .body(maxBytes: HTTPLimits.maxBodyBytes) { body in
                await self.answerConnect(method, body, format, context)
            }
        } catch {
            return .answer(ConnectRPC.answer(RPCFailure(error)))
        }
    }

    private func answerConnect(
        _ method: MethodSchema, _ body: [UInt8], _ format: ConnectRPC.Format,
        _ context: RPCPort.Context
    ) async -> HTTPAnswer {
        do {
            var message = body
            if format == .json {
                let node = body.isEmpty ? JSONNode(.object([])) : try JSONParser.parse(body)
                message = try MessageEncoder(schema: schema).encode(node, as: method.input)
            }
            var reply = try await rpc.unary(method, message, context)
            if format == .json {
                reply = try MessageDecoder(schema: schema).json(reply, of: method.output)
            }
            return HTTPAnswer(status: 200, type: format.contentType, body: reply)
        } catch let problem as JSONParser.Problem {
            return ConnectRPC.answer(RPCFailure(.invalidArgument, "\(problem)"))
        } catch {
            return ConnectRPC.answer(RPCFailure(error))
        }
    }
}
