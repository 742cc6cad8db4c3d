package import Manager
import Synchronization

/// A ``StateStore`` in memory, as strict as the port's contract allows, with faults on demand.
///
/// Tags are drawn from one counter, so that a tag of one key never fits another.
package final class InMemoryStateStore: StateStore {
    /// What becomes of writes that a test picks.
    package enum Fault: Sendable, Hashable {
        /// The condition is said not to hold; nothing is written.
        case conflict
        /// Written, but the answer is lost.
        case unknownButApplied
        /// Not written, and nobody can tell.
        case unknownNotApplied
    }

    private struct State {
        var entries: [String: StateEntry] = [:]
        var lastTag: UInt64 = 0
        var isDown = false
        /// Applied writes left before the store goes away for good; `nil` is no limit.
        var writesLeft: Int?
        var fault: (@Sendable (StateWrite) -> Fault?)?
        var log: [StateWrite] = []
        var calls = 0
        var hold: Hold?
    }

    /// Holds every `write` call back until it is opened.
    private final class Hold: Sendable {
        let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

        func wait() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }

        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    private let state = Mutex(State())

    package init() {}

    // MARK: The port

    package func get(_ key: String) async throws(StateStoreError) -> StateEntry? {
        try await bulkGet([key])[key]
    }

    package func bulkGet(_ keys: [String]) async throws(StateStoreError) -> [String: StateEntry] {
        let (isDown, entries) = state.withLock { state in
            var found: [String: StateEntry] = [:]
            for key in keys { found[key] = state.entries[key] }
            return (state.isDown, found)
        }
        if isDown { throw StateStoreError(message: "the store is down") }
        return entries
    }

    package func write(_ writes: [StateWrite]) async -> [WriteOutcome] {
        if let hold = state.withLock({ $0.hold }) { await hold.wait() }
        return state.withLock { state in
            state.calls += 1
            return writes.map { Self.perform($0, in: &state) }
        }
    }

    private static func perform(_ write: StateWrite, in state: inout State) -> WriteOutcome {
        if state.isDown { return .unknown("the store is down") }
        let fault = state.fault?(write)
        if fault == .conflict { return .conflict }
        if fault == .unknownNotApplied { return .unknown("no answer") }
        if state.writesLeft == 0 {
            state.isDown = true
            return .unknown("the store is down")
        }
        let present = state.entries[write.key]
        switch write.condition {
        case .absent: guard present == nil, write.value != nil else { return .conflict }
        case .etag(let tag): guard present?.etag == tag else { return .conflict }
        }
        state.lastTag += 1
        state.writesLeft = state.writesLeft.map { $0 - 1 }
        state.log.append(write)
        let tag = "t\(state.lastTag)"
        state.entries[write.key] = write.value.map { StateEntry(value: $0, etag: tag) }
        if fault == .unknownButApplied { return .unknown("no answer") }
        return .applied(etag: write.value == nil ? "" : tag)
    }

    // MARK: Faults and facts

    /// Asked for every write that reaches the store.
    package func inject(_ fault: (@Sendable (StateWrite) -> Fault?)?) {
        state.withLock { $0.fault = fault }
    }

    /// Nothing can be read or written while it is down.
    package var isDown: Bool {
        get { state.withLock { $0.isDown } }
        set { state.withLock { $0.isDown = newValue } }
    }

    /// The store goes away after so many more writes, in the middle of a call if need be.
    package func goDown(afterWrites count: Int) {
        state.withLock { $0.writesLeft = count }
    }

    /// Holds `write` calls back until ``releaseWrites()``.
    package func holdWrites() {
        state.withLock { $0.hold = Hold() }
    }

    package func releaseWrites() {
        let hold = state.withLock { state in
            defer { state.hold = nil }
            return state.hold
        }
        hold?.open()
    }

    /// A store with the same content and no faults: what a new process finds.
    package func reopened() -> InMemoryStateStore {
        let copy = InMemoryStateStore()
        let (entries, lastTag) = state.withLock { ($0.entries, $0.lastTag) }
        copy.state.withLock { state in
            state.entries = entries
            state.lastTag = lastTag
        }
        return copy
    }

    package var entries: [String: StateEntry] { state.withLock { $0.entries } }
    /// Every write that took effect, in order.
    package var log: [StateWrite] { state.withLock { $0.log } }
    /// Calls of `write`.
    package var writeCalls: Int { state.withLock { $0.calls } }

    /// Puts a value there past every rule.
    package func plant(_ key: String, _ value: [UInt8]) {
        state.withLock { state in
            state.lastTag += 1
            state.entries[key] = StateEntry(value: value, etag: "t\(state.lastTag)")
        }
    }
}
