import ManagerCore
import Spec
import TestKit

@testable import Manager

/// Short forms for the suites of this folder.
extension TwoTierStore {
    /// Applies as the API does.
    @discardableResult
    func apply(
        _ yaml: String..., set: String = "s", _ edit: (inout ApplyOptions) -> Void = { _ in }
    ) async throws -> ApplyOutcome {
        let objects = try ApplyRig.compile(yaml)
        var options = ApplyOptions(set: set)
        options.prune = true
        options.maxPrune = .count(.max)
        edit(&options)
        return try await transact { [options] draft in
            var scratch = draft
            var generator = SystemRandomNumberGenerator()
            let outcome = try SetApply.run(
                objects, on: &scratch, options: options, now: someTime,
                makeUID: { .random(using: &generator) })
            if !options.isDryRun { draft = scratch }
            return outcome
        }
    }

    /// A call of the API that sets one tag.
    func tag(_ name: String, _ key: String, _ value: String) async throws {
        try await transact { draft in
            guard var record = draft.connection(name) else {
                throw ManagerError.connectionNotFound
            }
            record.desired.overlay.labels[key] = value
            draft.put(record)
        }
    }
}

extension ShardedCluster {
    /// What is live of a connection, whoever owns it.
    func connection(_ name: String) throws -> ConnectionRecord? {
        try live[name].map { try RecordCodec.decodeConnection($0.content, key: name) }
    }

    func set(_ name: String = "s") throws -> ApplySetRecord? {
        try live["set/\(name)"].map { try RecordCodec.decodeApplySet($0.content, key: name) }
    }

    /// Index entries of what is live.
    var names: [String] { live.keys.sorted() }
}

/// The sentence of an error.
func failure(_ body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch {
        return "\(type(of: error)): \(error)"
    }
}
