package import Manager
package import ManagerCore
import Synchronization

/// Both clocks of the manager, moved by the test alone.
package final class ManualClock: Sendable {
    private struct State {
        var now: Moment
        var wallTime: WallTime
    }

    private let state: Mutex<State>

    /// - Parameter wallTime: 2026-01-01T00:00:00Z unless said otherwise.
    package init(wallTime: WallTime = WallTime(nanosecondsSinceEpoch: 1_767_225_600_000_000_000)) {
        state = Mutex(State(now: .now, wallTime: wallTime))
    }

    package var now: Moment { state.withLock { $0.now } }
    package var wallTime: WallTime { state.withLock { $0.wallTime } }

    /// Moves both clocks together.
    package func advance(by duration: Duration) {
        state.withLock { state in
            state.now = state.now.advanced(by: duration)
            state.wallTime = state.wallTime.advanced(by: duration)
        }
    }

    package func advance(to instant: Moment) {
        let distance = now.duration(to: instant)
        if distance > .zero { advance(by: distance) }
    }

    package var managerClock: ManagerClock {
        ManagerClock(now: { self.now }, wallTime: { self.wallTime })
    }
}
