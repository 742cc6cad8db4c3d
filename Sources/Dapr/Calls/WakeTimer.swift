import NIOCore

/// One timer of one owner, all on an event loop.
///
/// It is set for an earlier moment, never for a later one: an owner that is woken early finds
/// nothing to do and sets it again, which is cheaper than moving it with each call.
struct WakeTimer {
    private var deadline: NIODeadline?
    private var scheduled: Scheduled<Void>?

    mutating func arm(
        _ deadline: NIODeadline, on eventLoop: any EventLoop, _ wake: @escaping () -> Void
    ) {
        if let armed = self.deadline, armed <= deadline { return }
        scheduled?.cancel()
        self.deadline = deadline
        scheduled = eventLoop.assumeIsolated().scheduleTask(deadline: deadline, wake)
    }

    /// The owner was woken, or needs it no more.
    mutating func cancel() {
        scheduled?.cancel()
        scheduled = nil
        deadline = nil
    }
}
