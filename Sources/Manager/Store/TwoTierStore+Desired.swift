package import ManagerCore
package import Reconciler
import Spec

// MARK: Reads. They never leave the process.

extension TwoTierStore: DesiredState {
    package func desired(_ name: String) -> DesiredConnection? {
        memory.read { $0.connections[name]?.record.desired }
    }

    package func desiredFacts(_ name: String) -> DesiredFacts? {
        memory.read { $0.facts[name] }
    }

    package func desiredTable() -> DesiredTable {
        memory.read { $0.facts }
    }

    package func desiredNames() -> [String] {
        memory.read { Array($0.connections.keys) }
    }

    package func record(_ name: String) -> ConnectionRecord? { memory.connection(name) }

    package func connectionSet(_ name: String) -> ConnectionSetRecord? {
        memory.connectionSet(name)
    }

    package func connectionSetNames() -> [String] {
        memory.read { Array($0.connectionSets.keys) }
    }

    package func applySetNames() -> [String] {
        memory.read { Array($0.applySets.keys) }
    }

    package func applySet(_ name: String) -> ApplySetRecord? { memory.applySet(name) }
}

// MARK: Reads that leave the process where another instance is the owner

extension TwoTierStore {
    /// - Throws: ``NotReadable``.
    package func find(connection name: String) async throws -> ConnectionRecord? {
        guard case .connection(let record)? = try await find(.connection(name)) else { return nil }
        return record
    }

    /// - Throws: ``NotReadable``.
    package func find(connectionSet name: String) async throws -> ConnectionSetRecord? {
        guard case .connectionSet(let record)? = try await find(.connectionSet(name)) else {
            return nil
        }
        return record
    }

    /// - Throws: ``NotReadable``.
    package func find(applySet name: String) async throws -> ApplySetRecord? {
        guard case .applySet(let record)? = try await find(.applySet(name)) else { return nil }
        return record
    }

    private func find(_ key: ObjectKey) async throws -> StoredObject? {
        do {
            return try await committer.find(key)
        } catch {
            throw NotReadable(description: "the state store cannot be read: \(error)")
        }
    }

    /// The manifests of a revision: one JSON document a line.
    ///
    /// - Throws: ``StateStoreError`` where the store cannot be read or a page is not there.
    func revisionText(of set: String, _ revision: ApplySetRecord.Revision) async throws -> String {
        try await pages.text(of: set, revision)
    }
}

// MARK: Whose a name is

extension TwoTierStore {
    /// - Parameter name: of an object.
    package func owner(of name: String) -> ShardOwner { committer.owner(of: name) }

    /// Other instances write to the same state store.
    package var isShared: Bool { committer.isShared }

    /// Whether this instance acts for a name, and may say so. Always, where it is alone.
    package func isServed(_ name: String) -> Bool {
        if case .me = owner(of: name) { true } else { false }
    }

    /// The epoch of the events of a name; `nil` where this instance does not own its shard.
    package func epoch(of name: String) -> UInt64? { committer.epoch(of: name) }

    /// Draws the name of a new connection that this instance serves.
    ///
    /// - Returns: `nil` if it serves no shard.
    package func drawName(using generator: inout some RandomNumberGenerator) -> String? {
        for _ in 0..<Self.mostDraws {
            let name = UUIDBytes.random(using: &generator).description
            if isServed(name) { return name }
        }
        return nil
    }

    /// With a single shard of 256 all of them fail once in nine million times.
    private static let mostDraws = 4_096
}

// MARK: What the loop writes

extension TwoTierStore {
    package func spendDial(_ name: String) async -> DesiredConnection? {
        try? await transact(isOwnOnly: true) { draft in
            guard var record = draft.connection(name) else { return nil }
            record.desired.spentDialRevision = record.desired.dialRevision
            draft.put(record)
            return record.desired
        }
    }

    package func confirm(_ name: String) async -> Bool {
        (try? await transact(isOwnOnly: true) { draft in
            guard var record = draft.connection(name), record.desired.isProvisional else {
                return
            }
            record.desired.isProvisional = false
            draft.put(record)
        }) != nil
    }

    package func discard(_ name: String) async -> Bool {
        (try? await transact(isOwnOnly: true) { draft in
            guard let record = draft.connection(name), record.desired.isProvisional else {
                return
            }
            draft.removeConnection(name)
        }) != nil
    }
}
