package import ManagerCore
import Synchronization

/// Tells those who wait that something of an object changed; what it is they look up themselves,
/// so a signal that covers ten changes is as good as ten.
package final class ChangeFeed: Sendable {
    private let state = Mutex(State())

    private struct State {
        var nextID: UInt64 = 0
        var listeners: [UInt64: Listener] = [:]
        /// Listeners by the one name they wait for; `nil` wants all.
        var byName: [String: Set<UInt64>] = [:]
        var ofAll: Set<UInt64> = []
    }

    private struct Listener {
        var name: String?
        var pending: Set<ObjectKey> = []
        var signal: AsyncStream<Void>.Continuation
    }

    package init() {}

    package var listenerCount: Int { state.withLock { $0.listeners.count } }

    package func tell(_ keys: some Sequence<ObjectKey>) {
        state.withLock { state in
            guard !state.listeners.isEmpty else { return }
            for key in keys {
                let listening = state.ofAll.union(state.byName[key.name] ?? [])
                for id in listening {
                    state.listeners[id]?.pending.insert(key)
                    state.listeners[id]?.signal.yield()
                }
            }
        }
    }

    /// Listens until the subscription is let go.
    ///
    /// - Parameter name: only objects of this name; `nil` is all.
    package func subscribe(to name: String? = nil) -> Subscription {
        let (stream, signal) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.nextID += 1
            state.listeners[state.nextID] = Listener(name: name, signal: signal)
            if let name {
                state.byName[name, default: []].insert(state.nextID)
            } else {
                state.ofAll.insert(state.nextID)
            }
            return state.nextID
        }
        return Subscription(feed: self, id: id, signals: stream)
    }

    /// Ends every subscription: the process is going away.
    package func close() {
        state.withLock { state in
            for listener in state.listeners.values { listener.signal.finish() }
        }
    }

    /// One listener. Its changes are held as a set of keys, so its size is bounded by the objects.
    package final class Subscription: Sendable {
        private let feed: ChangeFeed
        private let id: UInt64
        package let signals: AsyncStream<Void>

        fileprivate init(feed: ChangeFeed, id: UInt64, signals: AsyncStream<Void>) {
            self.feed = feed
            self.id = id
            self.signals = signals
        }

        /// What changed since it was last asked.
        package func take() -> Set<ObjectKey> {
            feed.state.withLock { state in
                defer { state.listeners[id]?.pending = [] }
                return state.listeners[id]?.pending ?? []
            }
        }

        deinit {
            feed.state.withLock { state in
                guard let listener = state.listeners.removeValue(forKey: id) else { return }
                listener.signal.finish()
                guard let name = listener.name else {
                    state.ofAll.remove(id)
                    return
                }
                state.byName[name]?.remove(id)
                if state.byName[name]?.isEmpty ?? false { state.byName[name] = nil }
            }
        }
    }
}
