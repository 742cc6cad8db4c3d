import NIOCore

/// One timer of one owner on an event loop; setting it again replaces what was set.
struct LoopTimer {
    private var scheduled: Scheduled<Void>?
    private(set) var deadline: ContinuousClock.Instant?

    /// Fires at `deadline`, unless it is set already for that moment or an earlier one: an early
    /// timer finds nothing to do and is set again, which is cheaper than moving it each time.
    mutating func arm(
        _ deadline: ContinuousClock.Instant, now: ContinuousClock.Instant,
        on eventLoop: any EventLoop, _ body: @escaping @Sendable () -> Void
    ) {
        if let armed = self.deadline, armed <= deadline { return }
        scheduled?.cancel()
        self.deadline = deadline
        let delay = max(now.duration(to: deadline), .zero)
        scheduled = eventLoop.scheduleTask(in: TimeAmount(delay)) { body() }
    }

    /// The owner heard the timer.
    mutating func fired() {
        scheduled = nil
        deadline = nil
    }

    mutating func cancel() {
        scheduled?.cancel()
        fired()
    }
}
