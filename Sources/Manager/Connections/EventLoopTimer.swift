package import ManagerCore
package import NIOCore
import Reconciler
import Synchronization

/// The reconcile loop's alarm, kept on an event loop, where a timer that is set again leaves
/// nothing behind.
package final class EventLoopTimer: ReconcileTimer {
    private let eventLoop: any EventLoop
    private let state = Mutex<Setting?>(nil)

    private struct Setting {
        var instant: Moment
        var task: Scheduled<Void>
    }

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package func wake(
        at instant: Moment, _ body: @escaping @Sendable () -> Void
    ) {
        state.withLock { setting in
            if let setting, setting.instant <= instant { return }
            setting?.task.cancel()
            let delay = Moment.now.duration(to: instant)
            let task = eventLoop.scheduleTask(in: TimeAmount(max(delay, .zero))) { [weak self] in
                self?.state.withLock { $0 = nil }
                body()
            }
            setting = Setting(instant: instant, task: task)
        }
    }
}
