import GRPCCore
import GRPCProtobuf
import SwiftProtobuf
import Testing

@testable import Dapr

struct DaprClientTests {
    static let second: Duration = .seconds(5)

    private func withClient<Result: Sendable>(
        _ sidecar: FakeSidecar, token: String? = nil,
        _ body: (DaprClient) async throws -> Result
    ) async throws -> Result {
        try await sidecar.serving { port in
            try await Self.withClient(port: port, token: token, body)
        }
    }

    private static func withClient<Result: Sendable>(
        port: Int, token: String? = nil, _ body: (DaprClient) async throws -> Result
    ) async throws -> Result {
        let client = try DaprClient(
            DaprConfiguration(
                environment: DaprEnvironment(
                    grpc: .loopback(port: port), http: .loopback(port: 1), apiToken: token)))
        do {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    private func failure(_ body: () async throws -> Void) async -> DaprError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? DaprError
        }
    }

    private static func status(
        _ code: RPCError.Code, _ reason: String, _ message: String = "it is so"
    ) -> GoogleRPCStatus {
        GoogleRPCStatus(
            code: code, message: message,
            details: [.errorInfo(reason: reason, domain: "dapr.io", metadata: [:])])
    }

    @Test func anEmptyTagIsAnAbsentKey() async throws {
        let sidecar = FakeSidecar()
        sidecar.answers.state = { request in
            .with { answer in
                guard request.key == "there" else { return }
                answer.etag = "7"
            }
        }
        sidecar.answers.bulkState = .with { answer in
            answer.items = ["c", "a", "b"].map { key in
                .with { item in
                    item.key = key
                    item.etag = key == "a" ? "" : "1"
                }
            }
        }
        try await withClient(sidecar) { client in
            let there = try await client.state("there", in: "s", within: Self.second)
            #expect(there == DaprStateValue(value: [], etag: "7"))
            #expect(try await client.state("none", in: "s", within: Self.second) == nil)
            let many = try await client.bulkState(
                ["a", "b", "c"], in: "s", parallelism: 1, within: Self.second)
            #expect(many.keys.sorted() == ["b", "c"])
        }
    }

    @Test func oneUnreadableKeyFailsTheWholeRead() async throws {
        let sidecar = FakeSidecar()
        sidecar.answers.bulkState = .with { answer in
            answer.items = [
                .with {
                    $0.key = "a"; $0.error = "boom"
                }
            ]
        }
        try await withClient(sidecar) { client in
            let error = await failure {
                _ = try await client.bulkState(
                    ["a"], in: "s", parallelism: 1, within: Self.second)
            }
            #expect(error?.kind == .failed)
            #expect(error?.message == "the state store could not read a: boom")
        }
    }

    @Test func theTokenGoesWithEveryCall() async throws {
        let sidecar = FakeSidecar()
        try await withClient(sidecar, token: "t0k") { client in
            _ = try await client.metadata(within: Self.second)
            try await client.publish(
                [1], contentType: "x/y", to: "t", of: "p", within: Self.second)
        }
        #expect(sidecar.tokens == ["t0k", "t0k"])
    }

    @Test func bulkPublishingFallsBackOnceAndRemembers() async throws {
        let sidecar = FakeSidecar()
        sidecar.answers.knowsStableBulk = false
        sidecar.answers.failedEntries = ["2": "full"]
        let entries = ["1", "2"].map { DaprBulkEntry(id: $0, data: [], contentType: "x/y") }
        try await withClient(sidecar) { client in
            for _ in 0..<2 {
                let failed = try await client.publish(
                    entries, to: "t", of: "p", within: Self.second)
                #expect(failed == ["2": "full"])
            }
            // The sidecar was replaced by a newer one that has forgotten the older name.
            sidecar.answers.knowsStableBulk = true
            sidecar.answers.knowsAlphaBulk = false
            _ = try await client.publish(entries, to: "t", of: "p", within: Self.second)
            sidecar.answers.knowsStableBulk = false
            let error = await failure {
                _ = try await client.publish(entries, to: "t", of: "p", within: Self.second)
            }
            #expect(error?.kind == .unsupported)
        }
        let (stable, alpha) = ("BulkPublishEvent", "BulkPublishEventAlpha1")
        #expect(sidecar.calls == [stable, alpha, alpha, alpha, stable, stable, alpha])
    }

    @Test(arguments: [
        (RPCError.Code.aborted, "ERR_STATE_SAVE", DaprError.Kind.conflict),
        (.internalError, "ERR_STATE_SAVE", .failed),
        (.invalidArgument, "ERR_STATE_SAVE", .refused),
        (.invalidArgument, "DAPR_STATE_NOT_FOUND", .configuration),
        (.failedPrecondition, "DAPR_STATE_NOT_CONFIGURED", .configuration),
        (.permissionDenied, "DAPR_PUBSUB_FORBIDDEN", .configuration),
        (.unauthenticated, "", .configuration),
        (.resourceExhausted, "", .tooLarge),
        (.unimplemented, "", .unsupported),
        (.unavailable, "", .unreachable),
    ])
    func aCodeAndItsReasonSayWhatKindOfFaultItIs(
        code: RPCError.Code, reason: String, kind: DaprError.Kind
    ) async throws {
        let sidecar = FakeSidecar()
        sidecar.answers.save =
            reason.isEmpty ? RPCError(code: code, message: "so") : Self.status(code, reason)
        try await withClient(sidecar) { client in
            let error = await failure {
                try await client.save(
                    [DaprStateItem(key: "k", value: [1], etag: nil)], in: "s", within: Self.second)
            }
            #expect(error?.kind == kind)
            #expect(error?.reason == (reason.isEmpty ? nil : reason))
        }
    }

    @Test func aCallThatIsNotAnsweredEndsAtItsDeadline() async throws {
        let sidecar = FakeSidecar()
        sidecar.answers.state = { _ in
            try await Task.sleep(for: .seconds(60))
            return .init()
        }
        try await withClient(sidecar) { client in
            let error = await failure {
                _ = try await client.state("k", in: "s", within: .milliseconds(50))
            }
            #expect(error?.kind == .noAnswer)
            #expect(error?.message.hasSuffix("did not answer GetState in time") == true)
        }
    }

    @Test func aRestartedSidecarIsFoundAgain() async throws {
        let sidecar = FakeSidecar()
        let port = try await sidecar.serving { $0 }
        try await Self.withClient(port: port) { client in
            let error = await failure { _ = try await client.metadata(within: Self.second) }
            #expect(error?.kind == .unreachable)
            #expect(error?.message.contains("127.0.0.1:\(port) cannot be reached") == true)
            for _ in 0..<2 {
                try await sidecar.serving(port: port) { _ in
                    // Only the client's own back-off is waited for, and each try is an event.
                    while true {
                        if (try? await client.metadata(within: Self.second)) != nil { break }
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
            }
        }
    }

    @Test func componentsAreToldByTheirKind() async throws {
        let sidecar = FakeSidecar()
        sidecar.answers.metadata = .with { answer in
            answer.id = "wsm"
            answer.runtimeVersion = "1.18.3"
            answer.registeredComponents = ["state.redis", "pubsub.redis"].map { type in
                .with { component in
                    component.name = "one"
                    component.type = type
                    component.capabilities = ["ETAG"]
                }
            }
        }
        try await withClient(sidecar) { client in
            let metadata = try await client.metadata(within: Self.second)
            #expect(metadata.components(ofKind: "state").map(\.type) == ["state.redis"])
            #expect(metadata.components(ofKind: "pub").isEmpty)
            #expect(metadata.appID == "wsm")
            let secret = try await client.secret("k", from: "vault", within: Self.second)
            #expect(secret == ["k": "secret"])
        }
    }
}
