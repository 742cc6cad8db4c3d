import Access
import Foundation
import GRPCCore
import GRPCInProcessTransport
import Logging
import ManagerAPI
import Synchronization
import TestKit
import Testing

@testable import Manager

/// A running server that knows its callers.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ServerSecurityTests {
    private static let admin: Metadata = ["authorization": "Bearer admin-token-0123456"]
    private static let reader: Metadata = ["authorization": "Bearer read-token-01234567"]
    private static let secret = "S3CRET-of-a-header"

    private func running(_ body: (RunningServer) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let tokens = try directory.write(
            "admin deploy admin-token-0123456\nread dash read-token-01234567\n", to: "tokens")
        let server = try await RunningServer.start { $0.tokenFile = tokens }
        do {
            try await body(server)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func code(_ body: () async throws -> some Any) async -> RPCError.Code? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? RPCError)?.code
        }
    }

    private func apply(_ running: RunningServer, as metadata: Metadata) async throws {
        var header = Wsm_V1_ApplyHeader()
        header.appliedBy = "ada@lab"
        var document = Wsm_V1_ManifestDocument()
        document.json = Data(
            """
            {"apiVersion":"wsm.virtufin.com/v1","kind":"Connection","metadata":{"name":"a"},\
            "spec":{"url":"ws://127.0.0.1:9/","headers":{"A":"\(Self.secret)"}}}
            """.utf8)
        let (first, sent) = (header, document)
        try await running.orchestrator.apply(
            metadata: metadata,
            requestProducer: { writer in
                var request = Wsm_V1_ApplyRequest()
                request.header = first
                try await writer.write(request)
                request.chunk.documents = [sent]
                try await writer.write(request)
            },
            onResponse: { response in for try await _ in response.messages {} })
    }

    @Test func callersAreToldApart() async throws {
        try await running { running in
            let info = Wsm_V1_GetServerInfoRequest()
            #expect(
                await code { try await running.orchestrator.getServerInfo(info) }
                    == .unauthenticated)
            #expect(
                await code {
                    try await running.orchestrator.getServerInfo(info, metadata: Self.reader)
                } == nil)
            #expect(await code { try await apply(running, as: Self.reader) } == .permissionDenied)
            #expect(await code { try await apply(running, as: Self.admin) } == nil)
        }
    }

    @Test func metadataOfTheGatewayIsNobodysOnTheNetwork() async throws {
        try await running { running in
            let forged = Caller(name: "x", role: .admin, means: .token, address: "y")
            var metadata = Metadata()
            for (key, value) in forged.metadata { metadata.addString(value, forKey: key) }
            let sent = metadata
            #expect(
                await code {
                    try await running.orchestrator.getServerInfo(
                        Wsm_V1_GetServerInfoRequest(), metadata: sent)
                } == .unauthenticated)
        }
    }

    @Test func theHistoryNamesWhoWasProven() async throws {
        try await running { running in
            try await apply(running, as: Self.admin)
            let history = try await running.orchestrator.getHistory(
                Wsm_V1_GetHistoryRequest(), metadata: Self.reader)
            #expect(history.revisions.map(\.by) == ["deploy (ada@lab)"])
        }
    }

    @Test func aReaderSeesNoLiteralHeader() async throws {
        try await running { running in
            try await apply(running, as: Self.admin)
            let request = Wsm_V1_GetRequest.with { $0.name = "a" }
            func text(_ metadata: Metadata) async throws -> String {
                let object = try await running.orchestrator.get(request, metadata: metadata)
                return String(decoding: object.json, as: UTF8.self)
            }
            #expect(try await text(Self.admin).contains(Self.secret))
            let seen = try await text(Self.reader)
            #expect(!seen.contains(Self.secret))
            #expect(seen.contains("hidden"))
            let list = try await running.orchestrator.list(
                Wsm_V1_ListRequest(), metadata: Self.reader)
            #expect(!String(decoding: list.objects[0].json, as: UTF8.self).contains(Self.secret))
        }
    }
}

/// The server behind the gateway.
@Suite(.timeLimit(.minutes(2))) struct GatewayAccessTests {
    /// Answers with the caller that the call was made by.
    private struct Echo: RegistrableRPCService {
        func registerMethods<Transport: ServerTransport>(
            with router: inout RPCRouter<Transport>
        ) {
            for method in ["GetServerInfo", "Delete"] {
                router.registerHandler(
                    forMethod: MethodDescriptor(
                        service: ServiceDescriptor(
                            fullyQualifiedService: "wsm.v1.Orchestrator"), method: method),
                    deserializer: Plain(), serializer: Plain()
                ) { request, _ in
                    let leaked = request.metadata["wsm-caller"].map { _ in "leaked " }.joined()
                    let name = Caller.current.map { "\($0.name) \($0.role)" } ?? "nobody"
                    return StreamingServerResponse { writer in
                        let inside = Caller.current.map { $0.address } ?? "nowhere"
                        try await writer.write(Array("\(leaked)\(name) \(inside)".utf8))
                        return [:]
                    }
                }
            }
        }
    }

    private struct Plain: MessageSerializer, MessageDeserializer {
        func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes {
            Bytes(message)
        }

        func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
            bytes.withUnsafeBytes { Array($0) }
        }
    }

    private func call(_ method: String, as caller: Caller?) async throws -> String {
        let transport = InProcessTransport()
        let audit = AuditLog(logger: Logger(label: "t") { _ in SwiftLogNoOpLogHandler() })
        return try await withGRPCServer(
            transport: transport.server, services: [Echo()],
            interceptors: [AccessInterceptor(.gateway, audit: audit)]
        ) { _ in
            try await withGRPCClient(transport: transport.client) { client in
                var metadata = Metadata()
                for (key, value) in caller?.metadata ?? [] {
                    metadata.addString(value, forKey: key)
                }
                return try await client.unary(
                    request: ClientRequest(message: [1], metadata: metadata),
                    descriptor: MethodDescriptor(
                        service: ServiceDescriptor(
                            fullyQualifiedService: "wsm.v1.Orchestrator"), method: method),
                    serializer: Plain(), deserializer: Plain(), options: .defaults
                ) { response in
                    String(decoding: try response.message, as: UTF8.self)
                }
            }
        }
    }

    private static let dash = Caller(
        name: "dash", role: .read, means: .token, address: "192.0.2.1:80")

    @Test func theCallerOfTheGatewayIsTheCallerOfTheHandler() async throws {
        #expect(
            try await call("GetServerInfo", as: Self.dash) == "dash read 192.0.2.1:80")
    }

    @Test func theRoleIsCheckedAgainstWhatIsReallyCalled() async throws {
        await #expect(throws: RPCError.self) { try await call("Delete", as: Self.dash) }
        var admin = Self.dash
        admin.role = .admin
        #expect(try await call("Delete", as: admin) == "dash admin 192.0.2.1:80")
    }

    @Test func withoutACallerNothingIsDone() async throws {
        await #expect(throws: RPCError.self) { try await call("GetServerInfo", as: nil) }
    }
}
