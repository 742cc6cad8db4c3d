internal import GRPCCore
internal import SwiftProtobuf

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// One value to be written: created if it has no tag, else replaced under that tag.
package struct DaprStateItem: Sendable, Hashable {
    package var key: String
    package var value: [UInt8]
    /// `nil`: the key must be absent.
    package var etag: String?

    package init(key: String, value: [UInt8], etag: String?) {
        self.key = key
        self.value = value
        self.etag = etag
    }
}

/// What a key holds.
package struct DaprStateValue: Sendable, Hashable {
    package var value: [UInt8]
    package var etag: String

    package init(value: [UInt8], etag: String) {
        self.value = value
        self.etag = etag
    }
}

extension DaprClient {
    /// Writes all items, each on its condition (`FIRST_WRITE`): independently of each other and at
    /// the same time. A key may stand in one call once.
    ///
    /// - Throws: ``DaprError`` if any of them failed. Which of more than one it was, and whether it
    ///   took effect all the same, only a read can tell.
    package func save(
        _ items: [DaprStateItem], in store: String, within timeout: Duration
    ) async throws {
        var request = Dapr_Proto_Runtime_V1_SaveStateRequest()
        request.storeName = store
        request.states = items.map { item in
            var state = Dapr_Proto_Common_V1_StateItem()
            state.key = item.key
            state.value = Data(item.value)
            if let etag = item.etag { state.etag.value = etag }
            state.options.concurrency = .concurrencyFirstWrite
            state.options.consistency = .consistencyStrong
            return state
        }
        let message = request
        try await call("SaveState", within: timeout) { options in
            _ = try await dapr.saveState(message, options: options)
        }
    }

    /// - Returns: `nil` if the key is absent.
    /// - Throws: ``DaprError``.
    package func state(
        _ key: String, in store: String, within timeout: Duration
    ) async throws -> DaprStateValue? {
        var request = Dapr_Proto_Runtime_V1_GetStateRequest()
        request.storeName = store
        request.key = key
        request.consistency = .consistencyStrong
        let message = request
        let answer = try await call("GetState", within: timeout) { options in
            try await dapr.getState(message, options: options)
        }
        guard !answer.etag.isEmpty else { return nil }
        return DaprStateValue(value: [UInt8](answer.data), etag: answer.etag)
    }

    /// Reads many keys; absent ones are absent from the answer.
    ///
    /// - Parameter parallelism: how many a store without a bulk read reads at one time.
    /// - Throws: ``DaprError``, also if a single key could not be read.
    package func bulkState(
        _ keys: [String], in store: String, parallelism: Int, within timeout: Duration
    ) async throws -> [String: DaprStateValue] {
        var request = Dapr_Proto_Runtime_V1_GetBulkStateRequest()
        request.storeName = store
        request.keys = keys
        request.parallelism = Int32(clamping: parallelism)
        let message = request
        let answer = try await call("GetBulkState", within: timeout) { options in
            try await dapr.getBulkState(message, options: options)
        }
        var found: [String: DaprStateValue] = [:]
        for item in answer.items {
            guard item.error.isEmpty else {
                throw DaprError(
                    .failed, "the state store could not read \(item.key): \(item.error)")
            }
            guard !item.etag.isEmpty else { continue }
            found[item.key] = DaprStateValue(value: [UInt8](item.data), etag: item.etag)
        }
        return found
    }

    /// Deletes a key under a tag. Some stores take a delete of an absent key for done.
    ///
    /// - Throws: ``DaprError``.
    package func delete(
        _ key: String, etag: String, in store: String, within timeout: Duration
    ) async throws {
        var request = Dapr_Proto_Runtime_V1_DeleteStateRequest()
        request.storeName = store
        request.key = key
        request.etag.value = etag
        request.options.concurrency = .concurrencyFirstWrite
        request.options.consistency = .consistencyStrong
        let message = request
        try await call("DeleteState", within: timeout) { options in
            _ = try await dapr.deleteState(message, options: options)
        }
    }
}
