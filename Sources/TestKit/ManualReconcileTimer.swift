package import Reconciler
import Synchronization

/// The loop's alarm under test control: it rings when the test moves the clock.
package final class ManualReconcileTimer: ReconcileTimer {
    private struct Alarm {
        var instant: ContinuousClock.Instant
        var body: @Sendable () -> Void
    }

    private let clock: ManualClock
    private let alarm = Mutex<Alarm?>(nil)

    package init(clock: ManualClock) {
        self.clock = clock
    }

    package func wake(
        at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void
    ) {
        alarm.withLock { alarm in
            if let alarm, alarm.instant <= instant { return }
            alarm = Alarm(instant: instant, body: body)
        }
        ring()
    }

    /// When it rings next.
    package var nextAlarm: ContinuousClock.Instant? { alarm.withLock { $0?.instant } }

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
        due?.body()
    }
}
