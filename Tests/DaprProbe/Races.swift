import Manager
import TestKit

/// Many writers of few keys, each of which adds its own mark to a value: whatever the sidecar does
/// meanwhile, no mark whose write was answered with `applied` may be missing, and none whose write
/// was answered with `conflict` may be there.
struct Races: Sendable {
    static let writers = 8
    static let keys = 4
    static let rounds = 25

    private let store: any StateStore

    init(_ store: any StateStore) {
        self.store = store
    }

    private struct Marks: Sendable {
        var applied: Set<String> = []
        var conflicts: Set<String> = []
        var unknown = 0
    }

    func run() async throws {
        for key in 0..<Self.keys {
            // Until it is there: the faults are on already.
            while (try? await store.get("race/\(key)")) == nil {
                _ = await store.write([
                    StateWrite(key: "race/\(key)", value: [], condition: .absent)
                ])
            }
        }
        let all = await withTaskGroup(of: Marks.self) { group in
            for writer in 0..<Self.writers { group.addTask { await write(as: writer) } }
            return await group.reduce(into: Marks()) { sum, marks in
                sum.applied.formUnion(marks.applied)
                sum.conflicts.formUnion(marks.conflicts)
                sum.unknown += marks.unknown
            }
        }
        var there: Set<String> = []
        for key in 0..<Self.keys {
            let value = try await readUntilItWorks("race/\(key)")
            there.formUnion(value.split(separator: " ").map(String.init))
        }
        let lost = all.applied.subtracting(there)
        let undead = all.conflicts.intersection(there)
        guard lost.isEmpty, undead.isEmpty else {
            throw ConformanceFailure(
                description: "\(lost.count) applied writes are lost, \(undead.count) refused ones "
                    + "are there")
        }
        print(
            "races: \(all.applied.count) applied, \(all.conflicts.count) conflicts, "
                + "\(all.unknown) unknown")
    }

    private func write(as writer: Int) async -> Marks {
        var marks = Marks()
        for round in 0..<Self.rounds {
            let key = "race/\((writer + round) % Self.keys)"
            guard let entry = try? await store.get(key) else { continue }
            let mark = "\(writer).\(round)"
            let outcomes = await store.write([
                StateWrite(
                    key: key, value: entry.value + Array("\(mark) ".utf8),
                    condition: .etag(entry.etag))
            ])
            switch outcomes.first {
            case .applied: marks.applied.insert(mark)
            case .conflict: marks.conflicts.insert(mark)
            case .unknown, nil: marks.unknown += 1
            }
        }
        return marks
    }

    private func readUntilItWorks(_ key: String) async throws -> String {
        var last: any Error = ConformanceFailure(description: "\(key) is gone")
        for _ in 0..<50 {
            do {
                if let entry = try await store.get(key) {
                    return String(decoding: entry.value, as: UTF8.self)
                }
            } catch { last = error }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw last
    }
}
