package import ManagerCore
package import Reconciler
import Synchronization

/// Records for the reconcile loop, in memory, with a store that can refuse.
package final class FakeDesiredState: DesiredState {
    private struct State {
        var records: [String: DesiredConnection] = [:]
        var refusesWrites = false
        var spent: [String] = []
        var confirmed: [String] = []
        var discarded: [String] = []
    }

    private let state = Mutex(State())

    package init(_ records: [DesiredConnection] = []) {
        for record in records { put(record) }
    }

    package func put(_ record: DesiredConnection) {
        state.withLock { $0.records[record.name] = record }
    }

    package func remove(_ name: String) {
        state.withLock { $0.records[name] = nil }
    }

    /// Edits one record as an apply does.
    package func edit(_ name: String, _ body: (inout DesiredConnection) -> Void) {
        state.withLock { state in
            guard var record = state.records[name] else { return }
            let before = record
            body(&record)
            _ = record.settle(since: before)
            state.records[name] = record
        }
    }

    /// Every commit fails while this is set.
    package var refusesWrites: Bool {
        get { state.withLock { $0.refusesWrites } }
        set { state.withLock { $0.refusesWrites = newValue } }
    }

    package var all: [DesiredConnection] { state.withLock { Array($0.records.values) } }
    package var spent: [String] { state.withLock { $0.spent } }
    package var confirmed: [String] { state.withLock { $0.confirmed } }
    package var discarded: [String] { state.withLock { $0.discarded } }

    // MARK: The port

    package func desired(_ name: String) -> DesiredConnection? {
        state.withLock { $0.records[name] }
    }

    package func desiredTable() -> DesiredTable {
        DesiredTable(all.map { ($0.name, DesiredFacts($0)) })
    }

    package func desiredNames() -> [String] {
        state.withLock { Array($0.records.keys) }
    }

    package func spendDial(_ name: String) async -> DesiredConnection? {
        state.withLock { state in
            guard !state.refusesWrites, var record = state.records[name] else { return nil }
            record.spentDialRevision = record.dialRevision
            state.records[name] = record
            state.spent.append(name)
            return record
        }
    }

    package func confirm(_ name: String) async -> Bool {
        state.withLock { state in
            guard !state.refusesWrites else { return false }
            state.records[name]?.isProvisional = false
            state.confirmed.append(name)
            return true
        }
    }

    package func discard(_ name: String) async -> Bool {
        state.withLock { state in
            guard !state.refusesWrites else { return false }
            state.records[name] = nil
            state.discarded.append(name)
            return true
        }
    }
}
