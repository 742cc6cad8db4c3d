internal import GRPCCore
internal import NIOCore
internal import SwiftProtobuf
internal import Synchronization

/// One message of a bulk call.
package struct DaprBulkEntry: Sendable, Hashable {
    /// Unique in its call.
    package var id: String
    package var data: [UInt8]
    package var contentType: String
    package var metadata: [String: String]

    package init(id: String, data: [UInt8], contentType: String, metadata: [String: String] = [:]) {
        self.id = id
        self.data = data
        self.contentType = contentType
        self.metadata = metadata
    }
}

extension DaprClient {
    /// Publishes one message; when it returns the broker has it.
    ///
    /// - Throws: ``DaprError``; the broker may have it all the same.
    package func publish(
        _ data: [UInt8], contentType: String, to topic: String, of pubsub: String,
        metadata: [String: String] = [:], within timeout: Duration
    ) async throws {
        let request = PublishRequest.event(
            data, contentType: contentType, topic: topic, pubsub: pubsub, metadata: metadata)
        _ = try await call(.publish, request, within: timeout)
    }

    /// Publishes many messages at once. Most brokers get them in no order.
    ///
    /// - Returns: what failed, by entry. A sidecar that answers a failure of some with an error for
    ///   all throws instead: then all are to be sent again, under the same ids.
    /// - Throws: ``DaprError``; of kind `unsupported` if the sidecar has no bulk publishing at all.
    package func publish(
        _ entries: [DaprBulkEntry], to topic: String, of pubsub: String, within timeout: Duration
    ) async throws -> [String: String] {
        let request = PublishRequest.bulk(entries, topic: topic, pubsub: pubsub)
        let answer = try await bulkPublish(request, within: timeout)
        guard answer.readableBytes > 0 else { return [:] }
        let failed: [Dapr_Proto_Runtime_V1_BulkPublishResponseFailedEntry]
        do {
            failed = try Dapr_Proto_Runtime_V1_BulkPublishResponse(
                serializedBytes: Array(answer.readableBytesView)
            ).failedEntries
        } catch {
            throw DaprError(.failed, "the answer to a bulk call cannot be read: \(error)")
        }
        return Dictionary(failed.map { ($0.entryID, $0.error) }, uniquingKeysWith: { $1 })
    }

    /// Under the name that worked last; the other one if that is unknown to the sidecar.
    private func bulkPublish(
        _ request: ByteBuffer, within timeout: Duration
    ) async throws -> ByteBuffer {
        let isStable = knowsStableBulk.load(ordering: .relaxed)
        do {
            return try await call(
                isStable ? .bulkPublish : .bulkPublishAlpha, request, within: timeout)
        } catch let error as DaprError where error.kind == .unsupported {
            let answer = try await call(
                isStable ? .bulkPublishAlpha : .bulkPublish, request, within: timeout)
            knowsStableBulk.store(!isStable, ordering: .relaxed)
            return answer
        }
    }

    private func call(
        _ method: CallMethod, _ request: ByteBuffer, within timeout: Duration
    ) async throws -> ByteBuffer {
        do {
            return try await calls.call(method, request, within: timeout)
        } catch {
            throw DaprError(error, calling: method.name, at: configuration.environment.grpc)
        }
    }
}
