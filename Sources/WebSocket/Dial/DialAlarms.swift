import NIOCore
import NIOPosix

/// The deadlines of all dials of a loop, on one timer of the loop.
///
/// A timer of SwiftNIO that is cancelled is looked for among all that are set, and nearly every
/// deadline of a dial is cancelled. Confined to its loop.
final class DialAlarms {
    typealias Number = DeadlineQueue<DialAttempt>.Number

    // What is in it is a thread's own, and a loop is a thread.
    nonisolated(unsafe) private static let ofThread = ThreadSpecificVariable<DialAlarms>()

    private let loop: any EventLoop
    private var deadlines = DeadlineQueue<DialAttempt>()
    private var timer: (due: NIODeadline, scheduled: Scheduled<Void>)?

    private init(_ loop: any EventLoop) {
        self.loop = loop
    }

    /// Those of the loop that this is called on.
    static func of(_ loop: any EventLoop) -> DialAlarms {
        if let alarms = Self.ofThread.currentValue, alarms.loop === loop { return alarms }
        let alarms = DialAlarms(loop)
        Self.ofThread.currentValue = alarms
        return alarms
    }

    /// Has the attempt told when the deadline has come, unless it is cancelled before.
    func set(_ due: NIODeadline, for attempt: DialAttempt) -> Number {
        defer { self.arm() }
        return self.deadlines.set(due, attempt)
    }

    /// The timer stays as it is: it finds nothing to do, or what is due then.
    func cancel(_ number: Number) {
        self.deadlines.remove(number)
    }

    private func arm() {
        guard let next = self.deadlines.next else { return }
        if let timer = self.timer, timer.due <= next { return }
        self.timer?.scheduled.cancel()
        let scheduled = self.loop.assumeIsolated().scheduleTask(deadline: next) { self.fired() }
        self.timer = (next, scheduled)
    }

    private func fired() {
        self.timer = nil
        let now = self.loop.now
        while let attempt = self.deadlines.takeDue(now) { attempt.alarmRang() }
        self.arm()
    }
}
