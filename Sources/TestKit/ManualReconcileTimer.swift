package import ManagerCore
import Reconciler
import Synchronization

/// The loop's alarm under test control: it rings when the test moves the clock.
package final class ManualReconcileTimer: ReconcileTimer {
    private struct Alarm {
        var instant: Moment
        var body: @Sendable () -> Void
    }

    private let clock: ManualClock
    private let alarm = Mutex<Alarm?>(nil)
    private let rung = Mutex(0)

    package init(clock: ManualClock) {
        self.clock = clock
    }

    package func wake(
        at instant: Moment, _ body: @escaping @Sendable () -> Void
    ) {
        alarm.withLock { alarm in
            if let alarm, alarm.instant <= instant { return }
            alarm = Alarm(instant: instant, body: body)
        }
        ring()
    }

    /// How often it rang.
    package var rings: Int { rung.withLock { $0 } }

    /// When it rings next.
    package var nextAlarm: Moment? { alarm.withLock { $0?.instant } }

    /// Moves the clock and rings what is due.
    package func advance(by duration: Duration) {
        clock.advance(by: duration)
        ring()
    }

    private func ring() {
        let due = alarm.withLock { alarm -> Alarm? in
            guard let present = alarm, present.instant <= clock.now else { return nil }
            alarm = nil
            return present
        }
        guard let due else { return }
        rung.withLock { $0 += 1 }
        due.body()
    }
}
