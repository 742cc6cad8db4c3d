import ManagerCore
import Synchronization

/// Keeps changes of one process off each other's keys, so that they wait in line instead of
/// refusing each other at the owner.
///
/// Not needed for safety, which is the owner's. A change takes all its keys at once, or waits until
/// it can; nobody overtakes a waiter whose keys it shares. So nothing waits in a circle, and nobody
/// for ever.
final class KeyLocks: Sendable {
    private struct Waiter {
        var keys: Set<ObjectKey>
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var held: Set<ObjectKey> = []
        var waiting: [Waiter] = []

        func isFree(_ keys: Set<ObjectKey>) -> Bool {
            keys.isDisjoint(with: held) && waiting.allSatisfy { $0.keys.isDisjoint(with: keys) }
        }
    }

    private let state = Mutex(State())

    /// Takes the keys if that needs no waiting.
    func takeNow(_ keys: Set<ObjectKey>) -> Bool {
        state.withLock { state in
            guard state.isFree(keys) else { return false }
            state.held.formUnion(keys)
            return true
        }
    }

    /// The caller holds none yet.
    func take(_ keys: Set<ObjectKey>) async {
        await withCheckedContinuation { continuation in
            let isTaken = state.withLock { state in
                guard state.isFree(keys) else {
                    state.waiting.append(Waiter(keys: keys, continuation: continuation))
                    return false
                }
                state.held.formUnion(keys)
                return true
            }
            if isTaken { continuation.resume() }
        }
    }

    func release(_ keys: Set<ObjectKey>) {
        guard !keys.isEmpty else { return }
        let served = state.withLock { state in
            state.held.subtract(keys)
            var blocked = state.held
            var served: [Waiter] = []
            state.waiting.removeAll { waiter in
                guard waiter.keys.isDisjoint(with: blocked) else {
                    blocked.formUnion(waiter.keys)
                    return false
                }
                blocked.formUnion(waiter.keys)
                served.append(waiter)
                return true
            }
            for waiter in served { state.held.formUnion(waiter.keys) }
            return served.map(\.continuation)
        }
        for continuation in served { continuation.resume() }
    }
}
