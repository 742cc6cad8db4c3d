package import Dapr
import ManagerCore

/// The state store of a Dapr sidecar, behind the port.
///
/// Dapr answers a write with nothing: no tag after success, and after a failure a code that each
/// store chooses as it likes, also for a write that took effect. So every write is read back, and
/// what is read decides: a value that has our stamp (``StampedValue``) is ours. A code only tells
/// apart what a read leaves open.
///
/// Cost of a write: one `SaveState` and one `GetBulkState` for up to a hundred records.
package final class DaprStateStore: StateStore {
    /// Of one call for one key: the coordination of a cluster waits for it, and waits no longer.
    static let callTimeout: Duration = .milliseconds(1_500)
    /// Of one call for many keys, which a store without bulk reads serves one by one.
    static let groupTimeout: Duration = .seconds(5)
    /// Keys of one read: about a quarter of a message of the sidecar's default size.
    static let keysPerRead = 200
    /// Keys that a store without a bulk read reads at one time.
    static let parallelism = 32
    /// Calls of one read or write under way at one time.
    static let callsAtOnce = 4

    /// What is known of the component behind the sidecar.
    package struct Component: Sendable, Hashable {
        package var name: String
        package var type: String
        package var version: String

        package init(name: String, type: String, version: String) {
            self.name = name
            self.type = type
            self.version = version
        }

        /// A compare-and-set of an absent key makes it again, under the first tag there is.
        var recreatesAbsentKeys: Bool { type == "state.redis" }
    }

    package let component: Component
    let client: DaprClient

    package init(client: DaprClient, component: Component) {
        self.client = client
        self.component = component
    }

    // MARK: Reading

    package func get(_ key: String) async throws(StateStoreError) -> StateEntry? {
        do {
            return try await read(key).map { try entry($0, of: key) }
        } catch {
            throw Self.unreadable(error)
        }
    }

    package func bulkGet(_ keys: [String]) async throws(StateStoreError) -> [String: StateEntry] {
        do {
            let unique = Array(Set(keys))
            let parts = stride(from: 0, to: unique.count, by: Self.keysPerRead).map {
                Array(unique[$0..<min($0 + Self.keysPerRead, unique.count)])
            }
            let found = await concurrently(parts, limit: Self.callsAtOnce) { part in
                await Result { try await self.read(part) }
            }
            var entries: [String: StateEntry] = [:]
            for part in found {
                for (key, value) in try part.get() { entries[key] = try entry(value, of: key) }
            }
            return entries
        } catch {
            throw Self.unreadable(error)
        }
    }

    private func entry(_ value: DaprStateValue, of key: String) throws -> StateEntry {
        guard let stamped = StampedValue(value.value) else {
            throw StateStoreError(
                message: "\(key) in \(component.name) was not written by wsm: something else uses "
                    + "its keys (the component's keyPrefix tells users apart)")
        }
        let tag = BoundTag(value.etag, stamp: stamped.stamp, of: key)
        return StateEntry(value: stamped.value, etag: tag.text)
    }

    private static func unreadable(_ error: any Error) -> StateStoreError {
        (error as? StateStoreError)
            ?? StateStoreError(message: "the state store cannot be read: \(error)")
    }

    /// Once more at once if the connection was just lost: a read may be repeated.
    func read(_ key: String) async throws -> DaprStateValue? {
        do {
            return try await client.state(key, in: component.name, within: Self.callTimeout)
        } catch let error as DaprError where error.kind == .unreachable {
            return try await client.state(key, in: component.name, within: Self.callTimeout)
        }
    }

    /// Halves what the sidecar cannot put into one answer.
    func read(_ keys: [String]) async throws -> [String: DaprStateValue] {
        if keys.count == 1 { return try await read(keys[0]).map { [keys[0]: $0] } ?? [:] }
        do {
            return try await client.bulkState(
                keys, in: component.name, parallelism: Self.parallelism,
                within: Self.groupTimeout)
        } catch let error as DaprError where error.kind == .tooLarge {
            let half = keys.count / 2
            let first = try await read(Array(keys[..<half]))
            return first.merging(try await read(Array(keys[half...]))) { $1 }
        } catch let error as DaprError where error.kind == .unreachable {
            return try await client.bulkState(
                keys, in: component.name, parallelism: Self.parallelism,
                within: Self.groupTimeout)
        }
    }

    // MARK: Writing

    package func write(_ writes: [StateWrite]) async -> [WriteOutcome] {
        let untried = WriteOutcome.unknown(
            "it was not tried, since an earlier write of the same call did not succeed")
        var outcomes = Array(repeating: untried, count: writes.count)
        let bound = client.configuration.maxRequestBytes - DaprLimits.requestOverhead
        for stage in StateGroups(writes, maxBytes: bound).stages {
            let answers = await concurrently(stage, limit: Self.callsAtOnce) { call in
                await self.make(call.map { writes[$0] })
            }
            for (call, answer) in zip(stage, answers) {
                for (index, outcome) in zip(call, answer) { outcomes[index] = outcome }
            }
            let isDone = stage.joined().allSatisfy {
                if case .applied = outcomes[$0] { true } else { false }
            }
            guard isDone else { break }
        }
        return outcomes
    }

    /// Writes of one call, of different keys: what needs no call is decided, the rest is made.
    private func make(_ writes: [StateWrite]) async -> [WriteOutcome] {
        var outcomes = Array(repeating: WriteOutcome.conflict, count: writes.count)
        var saves: [(index: Int, save: StampedSave)] = []
        for (index, write) in writes.enumerated() {
            switch (condition(of: write), write.value) {
            case (.impossible, _), (.absent, nil): break
            case (.tag(let tag), nil):
                outcomes[index] = await delete(write.key, etag: tag.etag)
            case (.absent, let value?):
                saves.append((index, StampedSave(key: write.key, value: value, over: nil)))
            case (.tag(let tag), let value?):
                saves.append((index, StampedSave(key: write.key, value: value, over: tag)))
            }
        }
        for (save, outcome) in zip(saves, await self.save(saves.map(\.save))) {
            outcomes[save.index] = outcome
        }
        return outcomes
    }

    private enum Condition {
        case absent
        case tag(BoundTag)
        /// No value is there under such a tag.
        case impossible
    }

    private func condition(of write: StateWrite) -> Condition {
        switch write.condition {
        case .absent: .absent
        case .etag(let text): BoundTag(text, of: write.key).map { .tag($0) } ?? .impossible
        }
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

/// Runs `body` on all of `parts`, at most `limit` at one time; answers in their order.
func concurrently<Part: Sendable, Answer: Sendable>(
    _ parts: [Part], limit: Int, _ body: @escaping @Sendable (Part) async -> Answer
) async -> [Answer] {
    if parts.count == 1 { return [await body(parts[0])] }
    return await withTaskGroup(of: (Int, Answer).self) { group in
        var answers: [Answer?] = Array(repeating: nil, count: parts.count)
        for (index, part) in parts.enumerated() {
            if index >= limit, let (done, answer) = await group.next() { answers[done] = answer }
            group.addTask { (index, await body(part)) }
        }
        for await (done, answer) in group { answers[done] = answer }
        return answers.compactMap { $0 }
    }
}
