import Dapr

/// One write on its way: the same stamp for every try, so that a late success is known for ours.
struct StampedSave: Sendable {
    var key: String
    var stamp: Stamp
    var bytes: [UInt8]
    /// What it replaces; `nil`: the key must be absent.
    var over: BoundTag?

    init(key: String, value: [UInt8], over: BoundTag?) {
        var generator = SystemRandomNumberGenerator()
        self.key = key
        self.over = over
        stamp = Stamp.random(using: &generator)
        bytes = StampedValue(stamp: stamp, previous: over?.stamp, value: value).bytes
    }
}

extension DaprStateStore {
    /// Makes writes of different keys in one call, and reads them back.
    func save(_ saves: [StampedSave]) async -> [WriteOutcome] {
        guard !saves.isEmpty else { return [] }
        let failure: DaprError?
        do {
            try await client.save(
                saves.map { DaprStateItem(key: $0.key, value: $0.bytes, etag: $0.over?.etag) },
                in: component.name,
                within: saves.count == 1 ? Self.callTimeout : Self.groupTimeout)
            failure = nil
        } catch {
            failure = Self.fault(error)
        }
        switch failure?.kind {
        // Nothing of it took effect: the sidecar did not come to the store.
        case .configuration, .unsupported: return saves.map { _ in unknown(failure) }
        case .tooLarge where saves.count > 1:
            let half = saves.count / 2
            return await save(Array(saves[..<half])) + save(Array(saves[half...]))
        case .tooLarge: return [tooLarge(saves[0])]
        default: return await readBack(saves, after: failure)
        }
    }

    private func readBack(_ saves: [StampedSave], after failure: DaprError?) async -> [WriteOutcome]
    {
        let found: [String: DaprStateValue]
        do {
            found = try await read(saves.map(\.key))
        } catch {
            let sentence = failure.map(\.message) ?? "it was written, but its tag is not known"
            return saves.map { _ in .unknown("\(sentence); it could not be read back: \(error)") }
        }
        var outcomes: [WriteOutcome] = []
        for save in saves {
            outcomes.append(await outcome(of: save, finding: found[save.key], after: failure))
        }
        return outcomes
    }

    private func outcome(
        of save: StampedSave, finding found: DaprStateValue?, after failure: DaprError?
    ) async -> WriteOutcome {
        let value = found.flatMap { StampedValue($0.value) }
        if let found, value?.stamp == save.stamp {
            if component.recreatesAbsentKeys, save.over != nil, found.etag == "1" {
                return await undo(save, etag: found.etag)
            }
            return .applied(etag: BoundTag(found.etag, stamp: save.stamp, of: save.key).text)
        }
        // Somebody replaced it before we could read its tag.
        guard let failure, value?.previous != save.stamp else {
            return .applied(etag: BoundTag.ofReplaced)
        }
        // Nothing has changed yet; it may still take effect.
        if value?.stamp == save.over?.stamp { return unknown(failure) }
        if value != nil, value?.previous == save.over?.stamp { return .conflict }
        // More than one write has come in between, so ours is only known by what the store said.
        return failure.kind == .conflict ? .conflict : unknown(failure)
    }

    /// A replace that found no key made one: the first tag tells. It is taken away again.
    private func undo(_ save: StampedSave, etag: String) async -> WriteOutcome {
        do {
            try await client.delete(
                save.key, etag: etag, in: component.name, within: Self.callTimeout)
            return .conflict
        } catch {
            return .unknown(
                "\(save.key) was gone, was made again and could not be removed: \(error)")
        }
    }

    /// Read first: a store may take the delete of an absent key for done.
    func delete(_ key: String, etag: String) async -> WriteOutcome {
        do {
            guard try await read(key)?.etag == etag else { return .conflict }
        } catch {
            return .unknown("\(error)")
        }
        let failure: DaprError
        do {
            try await client.delete(
                key, etag: etag, in: component.name, within: Self.callTimeout)
            return .applied(etag: "")
        } catch {
            failure = Self.fault(error)
        }
        // Gone by now it may be by our hand or another's: both are a delete, but only one is ours.
        guard let found = try? await read(key) else { return unknown(failure) }
        return found.etag == etag ? unknown(failure) : .conflict
    }

    private static func fault(_ error: any Error) -> DaprError {
        (error as? DaprError) ?? DaprError(.failed, "\(error)")
    }

    private func unknown(_ failure: DaprError?) -> WriteOutcome {
        .unknown(failure?.message ?? "no answer")
    }

    private func tooLarge(_ save: StampedSave) -> WriteOutcome {
        .unknown(
            "\(save.key) has \(save.bytes.count) bytes, more than the sidecar takes "
                + "(daprd --max-body-size, \(client.configuration.maxRequestBytes) bytes by "
                + "--dapr-max-body-size)")
    }
}
