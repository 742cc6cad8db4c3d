import Synchronization

/// A pause that can be cut short; for one task that waits.
final class Alarm: Sendable {
    private struct State {
        var waiter: CheckedContinuation<Void, Never>?
        /// Rung while nobody waited: the next pause is over before it begins.
        var isRung = false
    }

    private let state = Mutex(State())

    /// Ends the pause that is, or the next one.
    func ring() {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.isRung = true
                return CheckedContinuation<Void, Never>?.none
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns after `duration`, or when it is rung, or when the task is cancelled.
    func wait(_ duration: Duration) async {
        let timer = Task {
            do {
                try await Task.sleep(for: duration)
                self.ring()
            } catch {
                // Called off: somebody else rang.
            }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isRung || Task.isCancelled {
                        state.isRung = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
        timer.cancel()
    }
}
