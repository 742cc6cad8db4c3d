import GRPCCore
import NIOCore
import SwiftProtobuf
import Testing

@testable import Dapr

/// Publishing against a server of the gRPC library.
struct DaprPublishTests {
    static let second: Duration = .seconds(5)

    private func publish(
        _ data: [UInt8], by client: DaprClient, metadata: [String: String] = [:]
    ) async throws {
        try await client.publish(
            data, contentType: "x/y", to: "t", of: "p", metadata: metadata, within: Self.second)
    }

    @Test func aRequestIsThatOfTheGeneratedCode() throws {
        for count in [0, 1, 127, 128, 300, 20_000] {
            let data = Array(repeating: UInt8(9), count: count)
            let bytes = PublishRequest.event(
                data, contentType: "a/b", topic: "t", pubsub: "", metadata: ["k": "ä", "": "v"])
            let request = try Dapr_Proto_Runtime_V1_PublishEventRequest(
                serializedBytes: Self.message(bytes))
            #expect(Array(request.data) == data && request.topic == "t")
            #expect(request.pubsubName.isEmpty && request.dataContentType == "a/b")
            #expect(request.metadata == ["k": "ä", "": "v"])
        }
    }

    @Test func aBulkRequestIsThatOfTheGeneratedCode() throws {
        let entries = (0..<3).map { index in
            DaprBulkEntry(
                id: "\(index)", data: Array(repeating: 1, count: index * 200), contentType: "a/b",
                metadata: index == 1 ? ["k": "v"] : [:])
        }
        let bytes = PublishRequest.bulk(entries, topic: "t", pubsub: "p")
        let request = try Dapr_Proto_Runtime_V1_BulkPublishRequest(
            serializedBytes: Self.message(bytes))
        #expect(request.topic == "t" && request.pubsubName == "p")
        #expect(request.entries.map(\.entryID) == entries.map(\.id))
        #expect(request.entries.map { Array($0.event) } == entries.map(\.data))
        #expect(request.entries.map(\.metadata) == entries.map(\.metadata))
        #expect(request.entries.allSatisfy { $0.contentType == "a/b" })
    }

    /// What stands behind the prefix.
    private static func message(_ bytes: ByteBuffer) throws -> [UInt8] {
        var bytes = bytes
        let prefix = bytes.readMultipleIntegers(as: (UInt8, UInt32).self)
        #expect(prefix?.0 == 0 && Int(prefix?.1 ?? 0) == bytes.readableBytes)
        return Array(bytes.readableBytesView)
    }

    @Test func largeMessagesArriveWhole() async throws {
        let sidecar = FakeSidecar()
        try await sidecar.withClient { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for size in [0, 70_000, 1 << 20, 3 << 20] {
                    group.addTask {
                        try await publish(Array(repeating: 5, count: size), by: client)
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(sidecar.published.map(\.data.count).sorted() == [0, 70_000, 1 << 20, 3 << 20])
        #expect(sidecar.published.allSatisfy { $0.pubsubName == "p" && $0.topic == "t" })
    }

    @Test func moreCallsThanTheSidecarTakesWaitForTheirTurn() async throws {
        let sidecar = FakeSidecar()
        try await sidecar.withClient(maxStreams: 3) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    group.addTask { try await publish([UInt8(index)], by: client) }
                }
                try await group.waitForAll()
            }
        }
        #expect(Set(sidecar.published.map(\.data)).count == 200)
    }

    @Test func aRowBesideItsCallsKeepsItsOrder() async throws {
        let sidecar = FakeSidecar()
        try await sidecar.withClient { client in
            await client.besideItsCalls {
                for index in 0..<100 {
                    await #expect(throws: Never.self) {
                        try await publish([UInt8(index)], by: client)
                    }
                }
            }
        }
        #expect(sidecar.published.map { $0.data.first } == (0..<100).map { UInt8($0) })
    }

    @Test func faultsAreThoseOfOtherCalls() async throws {
        let sidecar = FakeSidecar()
        sidecar.answers.publish = { _ in
            throw RPCError(code: .resourceExhausted, message: "larger than max")
        }
        try await sidecar.withClient { client in
            let error = await #expect(throws: DaprError.self) {
                try await publish([1], by: client)
            }
            #expect(error?.kind == .tooLarge)
            #expect(error?.message.hasSuffix("refused PublishEvent: larger than max") == true)
        }
    }

    @Test func aDeadlineEndsACallAndNotTheConnection() async throws {
        let sidecar = FakeSidecar()
        sidecar.answers.publish = { request in
            if request.data.isEmpty { try await Task.sleep(for: .seconds(60)) }
        }
        try await sidecar.withClient { client in
            let error = await #expect(throws: DaprError.self) {
                try await client.publish(
                    [], contentType: "x/y", to: "t", of: "p", within: .milliseconds(50))
            }
            #expect(error?.kind == .noAnswer)
            try await publish([1], by: client)
        }
    }

    @Test func aCancelledTaskWaitsNoLonger() async throws {
        let sidecar = FakeSidecar()
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        sidecar.answers.publish = { _ in
            begin.yield()
            try await Task.sleep(for: .seconds(60))
        }
        try await sidecar.withClient { client in
            let task = Task {
                try await client.publish(
                    [], contentType: "x/y", to: "t", of: "p", within: .seconds(60))
            }
            for await _ in begun { break }
            task.cancel()
            let error = await #expect(throws: DaprError.self) { try await task.value }
            #expect(error?.kind == .noAnswer)
            let early = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await client.publish(
                    [], contentType: "x/y", to: "t", of: "p", within: .seconds(60))
            }
            await #expect(throws: DaprError.self) { try await early.value }
        }
    }

    @Test func aRestartedSidecarIsFoundAgain() async throws {
        let sidecar = FakeSidecar()
        let port = try await sidecar.serving { $0 }
        let client = try FakeSidecar.client(port: port)
        let error = await #expect(throws: DaprError.self) { try await publish([1], by: client) }
        #expect(error?.kind == .unreachable)
        #expect(error?.message.contains("127.0.0.1:\(port) cannot be reached") == true)
        #expect(error?.message.contains("refused") == true)
        for _ in 0..<2 {
            try await sidecar.serving(port: port) { _ in
                // Only the client's own back-off is waited for, and each try is an event.
                while (try? await publish([1], by: client)) == nil {
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }
        await client.close()
        let closed = await #expect(throws: DaprError.self) { try await publish([1], by: client) }
        #expect(closed?.message.hasSuffix("the client is closed") == true)
    }

    @Test func callsEndBeforeAClientIsClosed() async throws {
        let sidecar = FakeSidecar()
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        sidecar.answers.publish = { _ in
            begin.yield()
            try await Task.sleep(for: .milliseconds(100))
        }
        try await sidecar.withClient { client in
            let task = Task { try await publish([1], by: client) }
            for await _ in begun { break }
            await client.close()
            try await task.value
        }
    }
}
