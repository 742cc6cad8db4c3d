internal import GRPCCore
internal import SwiftProtobuf
internal import Synchronization

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

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
        var request = Dapr_Proto_Runtime_V1_PublishEventRequest()
        request.pubsubName = pubsub
        request.topic = topic
        request.data = Data(data)
        request.dataContentType = contentType
        request.metadata = metadata
        let message = request
        try await call("PublishEvent", within: timeout) { options in
            _ = try await dapr.publishEvent(message, options: options)
        }
    }

    /// Publishes many messages at once. Most brokers get them in no order.
    ///
    /// - Returns: what failed, by entry. A sidecar that answers a failure of some with an error for
    ///   all throws instead: then all are to be sent again, under the same ids.
    /// - Throws: ``DaprError``; of kind `unsupported` if the sidecar has no bulk publishing at all.
    package func publish(
        _ entries: [DaprBulkEntry], to topic: String, of pubsub: String, within timeout: Duration
    ) async throws -> [String: String] {
        var request = Dapr_Proto_Runtime_V1_BulkPublishRequest()
        request.pubsubName = pubsub
        request.topic = topic
        request.entries = entries.map { entry in
            var part = Dapr_Proto_Runtime_V1_BulkPublishRequestEntry()
            part.entryID = entry.id
            part.event = Data(entry.data)
            part.contentType = entry.contentType
            part.metadata = entry.metadata
            return part
        }
        let failed = try await bulkPublish(request, within: timeout).failedEntries
        return Dictionary(failed.map { ($0.entryID, $0.error) }, uniquingKeysWith: { $1 })
    }

    /// Under the name that worked last; the other one if that is unknown to the sidecar.
    private func bulkPublish(
        _ request: Dapr_Proto_Runtime_V1_BulkPublishRequest, within timeout: Duration
    ) async throws -> Dapr_Proto_Runtime_V1_BulkPublishResponse {
        let stable = knowsStableBulk.load(ordering: .relaxed)
        do {
            return try await bulkPublish(request, stable: stable, within: timeout)
        } catch let error as DaprError where error.kind == .unsupported {
            let answer = try await bulkPublish(request, stable: !stable, within: timeout)
            knowsStableBulk.store(!stable, ordering: .relaxed)
            return answer
        }
    }

    private func bulkPublish(
        _ request: Dapr_Proto_Runtime_V1_BulkPublishRequest, stable: Bool, within timeout: Duration
    ) async throws -> Dapr_Proto_Runtime_V1_BulkPublishResponse {
        if stable {
            return try await call("BulkPublishEvent", within: timeout) { options in
                try await dapr.bulkPublishEvent(request, options: options)
            }
        }
        return try await call("BulkPublishEventAlpha1", within: timeout) { options in
            try await dapr.bulkPublishEventAlpha1(request, options: options)
        }
    }
}
