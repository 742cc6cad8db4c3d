import GRPCCore
import GRPCInProcessTransport
import Logging
import ManagerAPI
import NIOCore
import NIOPosix
import NIOSSL
import SwiftProtobuf
import Synchronization

@testable import Gateway

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A whole gateway on a free port, over services that behave by what they are asked.
final class LiveGateway: Sendable {
    let gateway: Gateway
    let calls: GatewayCalls
    let services: BehavingServices
    private let client: GRPCClient<InProcessTransport.Client>
    private let tasks: [Task<Void, any Error>]

    static func start(
        authorize: @escaping @Sendable (GatewayRequestFacts) async -> GatewayAdmission = { _ in
            .admitted(Metadata())
        },
        readiness: ReadinessReport = ReadinessReport(isReady: true, checks: []),
        configure: (inout GatewayConfiguration) -> Void = { _ in }
    ) async throws -> LiveGateway {
        let transport = InProcessTransport()
        let calls = GatewayCalls()
        let services = BehavingServices()
        let server = GRPCServer(
            transport: transport.server, services: [services], interceptors: [calls.interceptor])
        let client = GRPCClient(transport: transport.client)
        let tasks = [
            Task { try await server.serve() }, Task { try await client.runConnections() },
        ]
        var configuration = GatewayConfiguration(host: "127.0.0.1", port: 0)
        configure(&configuration)
        var logger = Logger(label: "gateway-test", factory: { _ in SwiftLogNoOpLogHandler() })
        logger.logLevel = .critical
        let gateway = try await Gateway.start(
            configuration,
            ports: GatewayPorts(
                client: client, calls: calls, authorize: authorize,
                metrics: { "wsm_up 1\n" }, readiness: { readiness }),
            logger: logger)
        return LiveGateway(gateway, calls, services, client, tasks)
    }

    private init(
        _ gateway: Gateway, _ calls: GatewayCalls, _ services: BehavingServices,
        _ client: GRPCClient<InProcessTransport.Client>, _ tasks: [Task<Void, any Error>]
    ) {
        self.gateway = gateway
        self.calls = calls
        self.services = services
        self.client = client
        self.tasks = tasks
    }

    func stop() async {
        gateway.beginShutdown()
        await gateway.finish(within: .seconds(5))
        client.beginGracefulShutdown()
        for task in tasks { task.cancel() }
    }

    /// One request on a connection of its own.
    func request(
        _ line: String, _ fields: [String: String] = [:], body: [UInt8] = []
    ) async throws -> RawResponse {
        var head = fields
        head["Host"] = head["Host"] ?? "127.0.0.1:\(gateway.port)"
        head["Connection"] = "close"
        if !body.isEmpty { head["Content-Length"] = head["Content-Length"] ?? "\(body.count)" }
        let text =
            "\(line) HTTP/1.1\r\n"
            + head.filter { !$0.value.isEmpty }.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
        return try await exchange(Array(text.utf8) + body)
    }

    func json(_ line: String, _ body: String) async throws -> RawResponse {
        try await request(line, ["Content-Type": "application/json"], body: Array(body.utf8))
    }

    /// Sends these bytes and reads until the other side closes.
    func exchange(
        _ bytes: [UInt8], tls: NIOSSLContext? = nil, halfClose: Bool = false
    ) async throws -> RawResponse {
        let connection = try await connect(tls: tls)
        return try await connection.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: bytes))
            if halfClose { outbound.finish() }
            var received: [UInt8] = []
            for try await buffer in inbound { received += buffer.readableBytesView }
            return RawResponse(received)
        }
    }

    func connect(
        tls: NIOSSLContext? = nil
    ) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: gateway.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                    }
                    return try NIOAsyncChannel(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
    }
}

/// A response as it came.
struct RawResponse: Sendable {
    var status = 0
    var fields: [String: String] = [:]
    var body: [UInt8] = []

    var text: String { String(decoding: body, as: UTF8.self) }

    init(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        status = lines.first.flatMap { Int($0.split(separator: " ")[1]) } ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].dropFirst()) : ""
        }
        body = Array(bytes.dropFirst(text[..<end.upperBound].utf8.count))
        if fields["transfer-encoding"] == "chunked" { body = Self.unchunked(body) }
    }

    private static func unchunked(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0D),
            let count = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16), count > 0
        {
            rest = rest[(end + 2)...]
            out += rest.prefix(count)
            rest = rest.dropFirst(count + 2)
        }
        return out
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}

/// Services that do what the name they are asked for says.
final class BehavingServices: RegistrableRPCService, Sendable {
    /// Facts a test waits for: `connect began`, `connect cancelled`, `subscribe cancelled`.
    let facts: AsyncStream<String>
    private let tell: AsyncStream<String>.Continuation
    /// Messages that a flood has written.
    let written = Mutex(0)

    init() {
        (facts, tell) = AsyncStream.makeStream(of: String.self)
    }

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        unary(&router, "virtufin.WebSocketManager", "GetTag") { bytes, metadata, _ in
            let request = try Virtufin_GetTagRequest(serializedBytes: bytes)
            let caller = metadata[stringValues: "caller"].first { _ in true } ?? "nobody"
            return try Virtufin_GetTagResponse.with {
                $0.value = "\(request.id)/\(request.key) for \(caller)"
            }.serializedBytes()
        }
        unary(&router, "virtufin.WebSocketManager", "Connect") { [tell] _, _, context in
            tell.yield("connect began")
            do {
                try await untilCancelled(context)
            } catch {
                tell.yield("connect cancelled")
                throw error
            }
            return []
        }
        unary(&router, "wsm.v1.Orchestrator", "Get") { _, _, _ in
            throw RPCError(code: .notFound, message: "no such object")
        }
        stream(&router, "wsm.v1.Orchestrator", "Subscribe") { [self] requests, writer, context in
            let bytes = requests.first ?? []
            try await subscribe(
                Wsm_V1_SubscribeRequest(serializedBytes: bytes), writer, context)
        }
        stream(&router, "wsm.v1.Orchestrator", "Apply") { requests, writer, _ in
            var summary = Wsm_V1_ApplySummary()
            for bytes in requests {
                let request = try Wsm_V1_ApplyRequest(serializedBytes: bytes)
                if case .header = request.part { summary.set = request.header.set }
                summary.created += Int32(request.chunk.documents.count)
                summary.warnings += request.chunk.documents.map {
                    "\($0.origin)=\(String(decoding: $0.json, as: UTF8.self))"
                }
            }
            guard summary.set != "refused" else {
                throw RPCError(code: .aborted, message: "the set moved")
            }
            let answer = summary
            try await writer.write(
                Wsm_V1_ApplyResponse.with { $0.summary = answer }.serializedBytes())
        }
    }

    private func subscribe(
        _ request: Wsm_V1_SubscribeRequest, _ writer: RPCWriter<[UInt8]>,
        _ context: ServerContext
    ) async throws {
        switch request.topic {
        case "refused": throw RPCError(code: .invalidArgument, message: "topic: no")
        case "quiet": break
        case "marks":
            let marks = request.after.map { "\($0.instance) \($0.life) \($0.position)" }
            throw RPCError(
                code: .unavailable,
                message: "\(request.start == .after) \(request.afterPosition) \(marks)")
        case "two":
            let first = request.start == .after ? request.afterPosition + 1 : 1
            for position in first..<first + 2 {
                try await writer.write(Self.message(position, bytes: 1))
            }
            throw RPCError(code: .unavailable, message: "over")
        default:
            do {
                for position in 1..<100_000 as Range<UInt64> {
                    try await writer.write(Self.message(position, bytes: 64 << 10))
                    written.withLock { $0 += 1 }
                }
            } catch {
                tell.yield("subscribe cancelled")
                throw error
            }
        }
        do {
            try await untilCancelled(context)
        } catch {
            tell.yield("subscribe cancelled")
            throw error
        }
    }

    private static func message(_ position: UInt64, bytes: Int) throws -> [UInt8] {
        try Wsm_V1_SubscribeResponse.with {
            $0.messages = [
                .with {
                    $0.position = position
                    $0.data = .init(repeating: 7, count: bytes)
                }
            ]
        }.serializedBytes()
    }

    // MARK: Registering

    private func unary<Transport: ServerTransport>(
        _ router: inout RPCRouter<Transport>, _ service: String, _ method: String,
        _ body: @escaping @Sendable ([UInt8], Metadata, ServerContext) async throws -> [UInt8]
    ) {
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: service, method: method),
            deserializer: Bytes(), serializer: Bytes()
        ) { request, context in
            let request = try await ServerRequest(stream: request)
            let reply = try await body(request.message, request.metadata, context)
            return StreamingServerResponse(single: ServerResponse(message: reply))
        }
    }

    private func stream<Transport: ServerTransport>(
        _ router: inout RPCRouter<Transport>, _ service: String, _ method: String,
        _ body:
            @escaping @Sendable ([[UInt8]], RPCWriter<[UInt8]>, ServerContext) async throws -> Void
    ) {
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: service, method: method),
            deserializer: Bytes(), serializer: Bytes()
        ) { request, context in
            StreamingServerResponse { writer in
                var messages: [[UInt8]] = []
                for try await message in request.messages { messages.append(message) }
                try await body(messages, writer, context)
                return [:]
            }
        }
    }
}

/// Waits for the caller to leave.
private func untilCancelled(_ context: ServerContext) async throws {
    try await context.cancellation.cancelled
    throw CancellationError()
}

private struct Bytes: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}
