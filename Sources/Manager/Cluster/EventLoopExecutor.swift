import NIOCore

/// Runs tasks on one event loop, apart from the threads that all others share: a list of ten
/// thousand connections that is being put together holds up nothing of theirs.
final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Lets the loop see to its sockets before the caller's task goes on: one that only went to the
    /// end of the loop's queue would still come before them.
    func giveWay() async {
        await withTaskExecutorPreference(globalConcurrentExecutor) {}
    }
}
