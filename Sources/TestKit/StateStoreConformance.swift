package import Manager

/// The contract of ``StateStore``, run against every implementation. Each part uses its own keys,
/// so that one store can be given to all of them.
package enum StateStoreConformance {
    package static func checkAll(_ store: any StateStore) async throws {
        try await createsOnlyWhatIsAbsent(store)
        try await replacesOnlyUnderTheLatestTag(store)
        try await deletesOnlyUnderTheLatestTag(store)
        try await readsManyAtOnce(store)
        try await answersEachWriteInOrder(store)
        try await keepsEveryByte(store)
        try await letsOneOfManyCreatorsWin(store)
        try await losesNoUpdate(store)
    }

    private static func check(
        _ fact: Bool, _ sentence: @autoclosure () -> String
    ) throws {
        try ConformanceFailure.check(fact, sentence())
    }

    private static func write(
        _ store: any StateStore, _ key: String, _ value: [UInt8]?,
        _ condition: StateWrite.Condition
    ) async -> WriteOutcome {
        let outcomes = await store.write([
            StateWrite(key: key, value: value, condition: condition)
        ])
        return outcomes.first ?? .unknown("no outcome")
    }

    private static func tag(_ outcome: WriteOutcome, _ what: String) throws -> String {
        guard case .applied(let tag) = outcome else {
            throw ConformanceFailure(description: "\(what) was answered with \(outcome)")
        }
        return tag
    }

    // MARK: Parts

    static func createsOnlyWhatIsAbsent(_ store: any StateStore) async throws {
        try check(try await store.get("create/1") == nil, "a key is there from the start")
        let tag = try tag(await write(store, "create/1", [1], .absent), "a create")
        let entry = try await store.get("create/1")
        try check(entry == StateEntry(value: [1], etag: tag), "a create reads as \(entry as Any)")
        let again = await write(store, "create/1", [2], .absent)
        try check(again == .conflict, "a second create is \(again)")
        try check(try await store.get("create/1") == entry, "a refused create changed the value")
        let nothing = await write(store, "create/2", nil, .absent)
        try check(nothing == .conflict, "a delete of what must not be there is \(nothing)")
    }

    static func replacesOnlyUnderTheLatestTag(_ store: any StateStore) async throws {
        let first = try tag(await write(store, "replace/1", [1], .absent), "a create")
        let second = try tag(await write(store, "replace/1", [2], .etag(first)), "a replace")
        try check(first != second, "a replace kept the tag \(first)")
        for (stale, what) in [(first, "a used"), ("no tag", "an invented"), ("", "an empty")] {
            let outcome = await write(store, "replace/1", [3], .etag(stale))
            try check(outcome == .conflict, "\(what) tag is answered with \(outcome)")
        }
        let entry = try await store.get("replace/1")
        try check(
            entry == StateEntry(value: [2], etag: second), "after it all it reads \(entry as Any)")
        let absent = await write(store, "replace/none", [1], .etag(second))
        try check(absent == .conflict, "a replace of an absent key is \(absent)")
        try check(try await store.get("replace/none") == nil, "a refused replace made a key")
    }

    static func deletesOnlyUnderTheLatestTag(_ store: any StateStore) async throws {
        let first = try tag(await write(store, "delete/1", [1], .absent), "a create")
        let second = try tag(await write(store, "delete/1", [2], .etag(first)), "a replace")
        let stale = await write(store, "delete/1", nil, .etag(first))
        try check(stale == .conflict, "a delete under a used tag is \(stale)")
        _ = try tag(await write(store, "delete/1", nil, .etag(second)), "a delete")
        try check(try await store.get("delete/1") == nil, "a deleted key is still there")
        let again = await write(store, "delete/1", nil, .etag(second))
        try check(again == .conflict, "a second delete is \(again)")
        let late = await write(store, "delete/1", [9], .etag(second))
        try check(late == .conflict, "a replace of a deleted key is \(late)")
        try check(try await store.get("delete/1") == nil, "a refused replace made it again")
        _ = try tag(await write(store, "delete/1", [3], .absent), "a create after a delete")
    }

    static func readsManyAtOnce(_ store: any StateStore) async throws {
        let keys = (0..<700).map { "bulk/\($0)" }
        let writes = keys.enumerated().filter { $0.offset % 2 == 0 }.map { index, key in
            StateWrite(key: key, value: Array("\(index)".utf8), condition: .absent)
        }
        let outcomes = await store.write(writes)
        try check(outcomes.count == writes.count, "\(outcomes.count) of \(writes.count) answered")
        let entries = try await store.bulkGet(keys + keys)
        try check(entries.count == writes.count, "\(entries.count) of \(writes.count) keys read")
        for (write, outcome) in zip(writes, outcomes) {
            let entry = entries[write.key]
            let tag = try tag(outcome, "a create")
            try check(
                entry?.value == write.value && entry?.etag == tag,
                "\(write.key) reads \(entry as Any)")
        }
        let nothing = try await store.bulkGet([])
        try check(nothing.isEmpty, "no keys read \(nothing.count) entries")
    }

    static func answersEachWriteInOrder(_ store: any StateStore) async throws {
        let empty = await store.write([])
        try check(empty.isEmpty, "no writes have \(empty.count) outcomes")
        let outcomes = await store.write([
            StateWrite(key: "order/1", value: [1], condition: .absent),
            StateWrite(key: "order/1", value: [2], condition: .absent),
            StateWrite(key: "order/2", value: [3], condition: .etag("none")),
            StateWrite(key: "order/3", value: [4], condition: .absent),
        ])
        try check(outcomes.count == 4, "4 writes have \(outcomes.count) outcomes")
        _ = try tag(outcomes[0], "the first create of a key")
        try check(outcomes[1] == .conflict, "the second create of a key is \(outcomes[1])")
        try check(outcomes[2] == .conflict, "a replace of an absent key is \(outcomes[2])")
        // The port lets a write behind a conflict go untried; then it must say so.
        let third = try await store.get("order/3")
        let isApplied = if case .applied = outcomes[3] { true } else { false }
        try check(isApplied == (third != nil), "\(outcomes[3]) but it reads \(third as Any)")
        let first = try await store.get("order/1")
        try check(first?.value == [1], "the refused create won: \(first as Any)")
    }

    static func keepsEveryByte(_ store: any StateStore) async throws {
        let values: [[UInt8]] = [
            [], [0], Array(0...255), [UInt8](repeating: 0xFF, count: 1 << 20),
        ]
        for (index, value) in values.enumerated() {
            let key = "bytes/'\"%_\\/ü/\(index)"
            _ = try tag(await write(store, key, value, .absent), "a create")
            let read = try await store.get(key)
            try check(read?.value == value, "\(value.count) bytes came back as others")
        }
    }

    static func letsOneOfManyCreatorsWin(_ store: any StateStore) async throws {
        let outcomes = await withTaskGroup(of: (UInt8, WriteOutcome).self) { group in
            for writer in 0..<50 as Range<UInt8> {
                group.addTask {
                    (writer, await Self.write(store, "race/1", [writer], .absent))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let winners = outcomes.filter { if case .applied = $0.1 { true } else { false } }
        try check(winners.count == 1, "\(winners.count) of 50 creators won")
        try check(
            outcomes.count { $0.1 == .conflict } == 49, "the losers were not told of a conflict")
        let entry = try await store.get("race/1")
        try check(entry?.value == winners.map(\.0), "the value is not the winner's")
    }

    static func losesNoUpdate(_ store: any StateStore) async throws {
        _ = try tag(await write(store, "counter", [0], .absent), "a create")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10 { try await Self.increment(store, "counter") }
                }
            }
            try await group.waitForAll()
        }
        let entry = try await store.get("counter")
        try check(entry?.value == [80], "80 increments made \(entry?.value as Any)")
    }

    private static func increment(_ store: any StateStore, _ key: String) async throws {
        while true {
            guard let entry = try await store.get(key), let count = entry.value.first else {
                throw ConformanceFailure(description: "\(key) is gone")
            }
            switch await write(store, key, [count + 1], .etag(entry.etag)) {
            case .applied: return
            case .conflict: continue
            case .unknown(let sentence): throw ConformanceFailure(description: sentence)
            }
        }
    }
}
