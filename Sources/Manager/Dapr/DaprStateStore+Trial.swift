package import Dapr
import ManagerCore

extension DaprStateStore {
    /// Finds the component among those of the sidecar.
    ///
    /// - Throws: ``StateStoreError`` if it is not there or cannot do what ownership needs.
    package static func component(
        named name: String, of metadata: DaprMetadata
    ) throws(StateStoreError) -> Component {
        let known = metadata.components(ofKind: "state")
        guard let found = known.first(where: { $0.name == name }) else {
            let others =
                known.isEmpty
                ? "it has none" : "it has " + known.map(\.name).sorted().joined(separator: ", ")
            throw StateStoreError(
                message: "the Dapr sidecar has no state component \(name) (--state-store-name): "
                    + others)
        }
        guard found.capabilities.contains("ETAG") else {
            throw StateStoreError(
                message: "the state component \(name) (\(found.type)) has no ETags, so two writers "
                    + "could not be told apart; use Redis, PostgreSQL or SQLite")
        }
        guard found.type != "state.etcd" else {
            throw StateStoreError(
                message: "the state component \(name) (\(found.type)) says of a write that lost "
                    + "that it won, so it cannot hold ownership; use Redis, PostgreSQL or SQLite")
        }
        return Component(name: found.name, type: found.type, version: found.version)
    }

    /// Tries what ownership rests on, on a key of its own that is removed again: only one of two
    /// creates wins, and only the latest tag replaces.
    ///
    /// - Throws: ``StateStoreError`` naming the component and what it did.
    package func tryOut() async throws(StateStoreError) {
        var generator = SystemRandomNumberGenerator()
        let key = "wsm/trial/\(UUIDBytes.random(using: &generator))"
        let first = try await applied(.init(key: key, value: [1], condition: .absent), "a create")
        try await refused(
            .init(key: key, value: [2], condition: .absent), finding: first,
            "let a second writer create a key that was there")
        let second = try await applied(
            .init(key: key, value: [3], condition: .etag(first.etag)), "a replace")
        try await refused(
            .init(key: key, value: [4], condition: .etag(first.etag)), finding: second,
            "let a writer replace a value that somebody else had replaced")
        // What is left behind by a failure harms nobody.
        _ = await write([.init(key: key, value: nil, condition: .etag(second.etag))])
    }

    private func applied(
        _ write: StateWrite, _ what: String
    ) async throws(StateStoreError) -> StateEntry {
        let outcome = await self.write([write]).first ?? .conflict
        guard case .applied = outcome, let entry = try await get(write.key),
            entry.value == write.value
        else { throw failure("did not keep \(what): \(outcome)") }
        return entry
    }

    private func refused(
        _ write: StateWrite, finding expected: StateEntry, _ misdeed: String
    ) async throws(StateStoreError) {
        let outcome = await self.write([write]).first ?? .conflict
        let entry = try await get(write.key)
        guard outcome == .conflict, entry == expected else { throw failure(misdeed) }
    }

    private func failure(_ what: String) -> StateStoreError {
        StateStoreError(
            message: "the state component \(component.name) (\(component.type)) cannot hold "
                + "ownership: on trial it \(what); use Redis, PostgreSQL or SQLite")
    }
}
