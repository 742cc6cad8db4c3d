import ManagerCore
import NIOCore

/// One timer of one owner on an event loop; setting it again replaces what was set.
///
/// Most are never set: one that is not costs a pointer.
struct LoopTimer {
    private var setting: Setting?

    private final class Setting: Sendable {
        let deadline: Moment
        let scheduled: Scheduled<Void>

        init(deadline: Moment, scheduled: Scheduled<Void>) {
            self.deadline = deadline
            self.scheduled = scheduled
        }
    }

    var isSet: Bool { setting != nil }

    /// When it fires; `nil` if it is not set.
    var deadline: Moment? { setting?.deadline }

    /// Fires at `deadline`, unless it is set already for that moment or an earlier one: an early
    /// timer finds nothing to do and is set again, which is cheaper than moving it each time.
    mutating func arm(
        _ deadline: Moment, now: Moment,
        on eventLoop: any EventLoop, _ body: @escaping @Sendable () -> Void
    ) {
        if let armed = self.deadline, armed <= deadline { return }
        setting?.scheduled.cancel()
        let delay = max(now.duration(to: deadline), .zero)
        setting = Setting(
            deadline: deadline,
            scheduled: eventLoop.scheduleTask(in: TimeAmount(delay)) { body() })
    }

    /// The owner heard the timer.
    mutating func fired() {
        setting = nil
    }

    mutating func cancel() {
        setting?.scheduled.cancel()
        fired()
    }
}
